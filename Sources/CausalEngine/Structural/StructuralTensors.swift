internal import CausalKernels

/// The arrays of a structural model, as a checkpoint holds them: first the noise that was kept, in doubles, then the networks' tensors; each
/// by member and, for one member, by variable.
extension StructuralModel {
    struct Tensor {
        let name: String
        /// "F32", "F64".
        let type: String
        let shape: [Int]
        /// Alive as long as the model.
        let bytes: UnsafeRawBufferPointer
    }

    var tensors: [Tensor] {
        var tensors: [Tensor] = []
        for member in 0..<members {
            for mechanism in mechanisms.list where mechanism.distribution == nil {
                let noise = mechanism.residuals[member]
                tensors.append(Tensor(name: StructuralModel.noiseName(member, mechanism.variable), type: "F64", shape: [noise.count],
                                      bytes: UnsafeRawBufferPointer(noise.buffer)))
            }
        }
        for member in 0..<members {
            for mechanism in mechanisms.list {
                guard let layout = mechanism.model?.layout else { continue }
                for tensor in layout.tensors {
                    let numbers = UnsafeBufferPointer(start: mechanism.parameters[member].pointer + tensor.offset, count: tensor.count)
                    tensors.append(Tensor(name: StructuralModel.name(tensor, member, mechanism.variable), type: SafeTensors.type(of: Scalar.self),
                                          shape: tensor.shape, bytes: UnsafeRawBufferPointer(numbers)))
                }
            }
        }
        return tensors
    }

    private static func noiseName(_ member: Int, _ variable: Variable) -> String { "members.\(member).\(variable.name).noise" }
    private static func name(_ tensor: ParameterLayout.Tensor, _ member: Int, _ variable: Variable) -> String {
        "members.\(member).\(variable.name).\(tensor.name)"
    }
}

extension StructuralModel {
    /// The model of a file. Nothing is allocated for numbers that are not in it.
    ///
    /// - Throws: `.file` where texts or tensors are not what they should be, and what the graph, the mechanisms and the noise themselves find.
    convenience init(_ header: SafeTensors, _ read: CheckpointFile.Reader) throws(EngineError) {
        let description = try StructuralDescription(header), members = try header.members
        let scales = try header.array("standardisation", count: description.count, Standardisation.init)
        let count = description.count, expected = header.tensors
        // Before any network is compiled: a description of many layers is short, and its networks are not.
        let tensorsOfMember = description.variables.indices.reduce(0) { $0 + description.tensorCount($1) }
        guard members * tensorsOfMember == expected.count else {
            throw EngineError(.file, "it has \(expected.count) tensors, expected \(tensorsOfMember) for each of \(members) members")
        }
        var list: [FittedMechanism<Scalar>] = []
        for (v, variable) in description.variables.enumerated() {
            let code = ParentCode(of: v, description, scales)
            var mechanism = FittedMechanism<Scalar>(variable: variable, law: .additive, scale: scales[v], code: code, model: nil, parameters: [])
            if !description.isRoot(v) {
                let law = description.mechanisms[v].noiseLaw(variable.kind)
                let network = try description.mechanisms[v].network(inputs: code.width, head: law.headWidth)
                mechanism = FittedMechanism(variable: variable, law: law, scale: scales[v], code: code,
                                            model: try Model(network, ownsParameters: false), parameters: [])
            }
            list.append(mechanism)
        }

        var next = 0
        /// Throws where the next tensor of the file is another one.
        func expect(_ name: String, _ type: String, _ shape: [Int]?) throws(EngineError) -> SafeTensors.Tensor {
            let tensor = expected[next]
            guard tensor.name == name, tensor.type == type, shape.map({ $0 == tensor.shape }) ?? (tensor.shape.count == 1),
                  tensor.begin == (next == 0 ? 0 : expected[next - 1].end) else {
                let shape = shape.map { "\($0)" } ?? "[rows]"
                throw EngineError(.file, "tensor \(next) is \(tensor.name) of \(tensor.type) and shape \(tensor.shape), expected \(name) of \(type) and shape \(shape)")
            }
            next += 1
            return tensor
        }

        var noise = [[Storage<Double>]](repeating: [], count: count)
        for member in 0..<members {
            var rows: Int?
            for (v, mechanism) in list.enumerated() where mechanism.distribution == nil {
                // All of a member's rows are the same ones.
                let tensor = try expect(StructuralModel.noiseName(member, mechanism.variable), "F64", rows.map { [$0] })
                rows = tensor.shape[0]
                guard tensor.shape[0] <= Int(Int32.max) else { throw EngineError(.file, "\(tensor.name): \(tensor.shape[0]) rows are too many") }
                let numbers = try Storage<Double>(count: tensor.shape[0], of: tensor.name)
                try read(UnsafeMutableRawBufferPointer(start: numbers.pointer, count: tensor.end - tensor.begin))
                // A root's noise is its value.
                if mechanism.isRoot, mechanism.variable.kind != .real, let wrong = numbers.buffer.first(where: { !$0.isNaN && !mechanism.variable.allows($0) }) {
                    throw EngineError(.file, "\(tensor.name): \(wrong), expected \(mechanism.variable.expectation), or NaN")
                }
                noise[v].append(numbers)
            }
        }
        var parameters = [[Parameters<Scalar>]](repeating: [], count: count)
        for member in 0..<members {
            for (v, mechanism) in list.enumerated() {
                guard let layout = mechanism.model?.layout else { continue }
                for tensor in layout.tensors {
                    _ = try expect(StructuralModel.name(tensor, member, mechanism.variable), SafeTensors.type(of: Scalar.self), tensor.shape)
                }
                let numbers = try Parameters<Scalar>(count: layout.count)
                try read(UnsafeMutableRawBufferPointer(start: numbers.pointer, count: layout.count * MemoryLayout<Scalar>.size))
                parameters[v].append(numbers)
            }
        }
        let fitted = list.indices.map { v in
            FittedMechanism(variable: list[v].variable, law: list[v].law, scale: list[v].scale, code: list[v].code, model: list[v].model,
                            parameters: parameters[v], residuals: noise[v])
        }
        try self.init(description, members: members, mechanisms: MechanismTable(fitted))
    }
}

extension StructuralDescription {
    fileprivate init(_ header: SafeTensors) throws(EngineError) {
        let graph = try Graph(JSON(parsing: header.metadata("graph").utf8))
        let kinds = try header.array("variables", count: graph.count, Variable.Kind.init)
        let mechanisms = try header.array("mechanisms", count: graph.count, Mechanism.init)
        try self.init(graph, variables: zip(graph.names, kinds).map { Variable($0, $1) }, mechanisms: mechanisms)
        for v in variables.indices where mechanisms[v] == .automatic && !isRoot(v) {
            throw EngineError(.file, "mechanism of \(variables[v].name): it is auto, expected one that was chosen")
        }
    }
}

extension StructuralDescription {
    /// Arrays of one variable and one member: its noise, unless a law tells how that is distributed, and weight and bias of each layer.
    fileprivate func tensorCount(_ v: Int) -> Int {
        if isRoot(v) { return 1 }
        return (mechanisms[v].noiseLaw(variables[v].kind).distribution == nil ? 1 : 0) + 2 * (mechanisms[v].hidden.count + 1)
    }
}

extension SafeTensors {
    fileprivate var members: Int {
        get throws(EngineError) {
            let text = try metadata("members")
            guard let members = Int(text), StructuralTrainerOptions.possibleMembers.contains(members) else {
                throw EngineError(.file, "it has \(text) members, expected 1 to \(StructuralTrainerOptions.possibleMembers.upperBound)")
            }
            return members
        }
    }

    /// A list with an entry for each variable.
    fileprivate func array<Entry>(_ name: String, count: Int, _ read: (JSON) throws(EngineError) -> Entry) throws(EngineError) -> [Entry] {
        guard let list = try JSON(parsing: metadata(name).utf8).array, list.count == count else {
            throw EngineError(.file, "its \(name) are no list of \(count) entries, one a variable")
        }
        var entries: [Entry] = []
        for value in list { entries.append(try read(value)) }
        return entries
    }
}
