internal import CausalKernels

/// The arrays of a file, one after the other, each of which has to be the one that is expected.
private struct TensorReader {
    let tensors: [SafeTensors.Tensor]
    let read: CheckpointFile.Reader
    private var next = 0

    init(_ header: SafeTensors, _ read: @escaping CheckpointFile.Reader) {
        tensors = header.tensors
        self.read = read
    }

    /// - Parameter shape: nil for one dimension of any size.
    /// - Throws: `.file` where the next one is another.
    mutating func expect(_ name: String, _ type: String, _ shape: [Int]?) throws(EngineError) -> SafeTensors.Tensor {
        guard next < tensors.count else { throw EngineError(.file, "it has no tensor \(name)") }
        let tensor = tensors[next]
        guard tensor.name == name, tensor.type == type, shape.map({ $0 == tensor.shape }) ?? (tensor.shape.count == 1),
              tensor.begin == (next == 0 ? 0 : tensors[next - 1].end) else {
            throw EngineError(.file, "tensor \(next) is \(tensor.name) of \(tensor.type) and shape \(tensor.shape), "
                + "expected \(name) of \(type) and shape \(shape.map { "\($0)" } ?? "[rows]")")
        }
        next += 1
        return tensor
    }

    /// The noise of one mechanism, in as many rows as are wanted; nil for any number.
    mutating func noise<Scalar: EngineScalar>(of mechanism: FittedMechanism<Scalar>, member: Int, rows: Int?) throws(EngineError) -> Storage<Double> {
        let tensor = try expect(StructuralModel<Scalar>.noiseName(member, mechanism.variable), "F64", rows.map { [$0] }), rows = tensor.shape[0]
        guard rows <= Int(Int32.max) else { throw EngineError(.file, "\(tensor.name): \(rows) rows are too many") }
        let noise = try Storage<Double>(count: rows, of: tensor.name)
        try read(UnsafeMutableRawBufferPointer(start: noise.pointer, count: tensor.end - tensor.begin))
        // A root's noise is its value.
        guard mechanism.isRoot, mechanism.variable.kind != .real else { return noise }
        for row in 0..<rows where !noise.pointer[row].isNaN && !mechanism.variable.allows(noise.pointer[row]) {
            throw EngineError(.file, "\(tensor.name): \(noise.pointer[row]) in row \(row), expected \(mechanism.variable.expectation), or NaN")
        }
        return noise
    }

    /// The weights and biases of one mechanism's network.
    mutating func parameters<Scalar: EngineScalar>(of variable: Variable, _ layout: ParameterLayout, member: Int) throws(EngineError) -> Parameters<Scalar> {
        for tensor in layout.tensors {
            _ = try expect(StructuralModel<Scalar>.name(tensor, member, variable), SafeTensors.type(of: Scalar.self), tensor.shape)
        }
        let parameters = try Parameters<Scalar>(count: layout.count)
        try read(UnsafeMutableRawBufferPointer(start: parameters.pointer, count: layout.count * MemoryLayout<Scalar>.size))
        return parameters
    }
}

extension StructuralModel {
    /// The model of a file. Nothing is allocated for numbers that are not in it.
    ///
    /// - Throws: `.file` where texts or tensors are not what they should be, and what the graph, the mechanisms and the noise themselves find.
    convenience init(_ header: SafeTensors, _ read: @escaping CheckpointFile.Reader) throws(EngineError) {
        let description = try StructuralDescription(header), members = try header.members
        let scales = try header.array("standardisation", count: description.count, Standardisation.init)
        // Before any network is compiled: a description of many layers is short, and its networks are not.
        let tensorsOfMember = description.variables.indices.reduce(0) { $0 + description.tensorCount($1) }
        guard members * tensorsOfMember == header.tensors.count else {
            throw EngineError(.file, "it has \(header.tensors.count) tensors, expected \(tensorsOfMember) for each of \(members) members")
        }
        let empty = try description.variables.indices.map { v throws(EngineError) in try FittedMechanism<Scalar>(v, description, scales) }

        var reader = TensorReader(header, read)
        var noise = [[Storage<Double>]](repeating: [], count: empty.count), parameters = [[Parameters<Scalar>]](repeating: [], count: empty.count)
        for member in 0..<members {
            var rows: Int?      // the same ones for all of a member's mechanisms
            for (v, mechanism) in empty.enumerated() where mechanism.distribution == nil {
                noise[v].append(try reader.noise(of: mechanism, member: member, rows: rows))
                rows = noise[v][member].count
            }
        }
        for member in 0..<members {
            for (v, mechanism) in empty.enumerated() {
                guard let layout = mechanism.model?.layout else { continue }
                parameters[v].append(try reader.parameters(of: mechanism.variable, layout, member: member))
            }
        }
        let list = empty.enumerated().map { v, mechanism in
            FittedMechanism(variable: mechanism.variable, law: mechanism.law, scale: mechanism.scale, code: mechanism.code, model: mechanism.model,
                            parameters: parameters[v], residuals: noise[v])
        }
        try self.init(description, members: members, mechanisms: MechanismTable(list))
    }
}

extension FittedMechanism {
    /// A mechanism without its numbers.
    fileprivate init(_ v: Int, _ description: StructuralDescription, _ scales: [Standardisation]) throws(EngineError) {
        let variable = description.variables[v], mechanism = description.mechanisms[v], code = ParentCode(of: v, description, scales)
        var law = NoiseLaw.additive, model: Model<Scalar>?
        if !description.isRoot(v) {
            law = mechanism.noiseLaw(variable.kind)
            model = try Model(mechanism.network(inputs: code.width, head: law.headWidth), ownsParameters: false)
        }
        self.init(variable: variable, law: law, scale: scales[v], code: code, model: model, parameters: [])
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
