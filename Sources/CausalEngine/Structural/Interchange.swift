internal import CausalKernels

// Interchange: a variable, or a hidden unit of its mechanism, takes the value that it has in another run, with the same rows and the same
// noise. The other run comes first; then the edit sets numbers.

extension Scenario {
    private static var deepest: Int { 16 }

    /// - Throws: `.value` for interchanges within interchanges that would take long, or whose release would exhaust the stack.
    package func checkDepth() throws(EngineError) {
        guard depth <= Scenario.deepest else {
            throw EngineError(.value, "scenario: interchanges within interchanges, more than \(Scenario.deepest) deep, expected fewer")
        }
    }
}

extension StructuralModel {
    /// What a scenario is once the values of its interchanges are known.
    ///
    /// - Parameters:
    ///   - run: the values of all variables under another scenario, of which those that are marked are wanted.
    ///   - member: whose turn it is, for each of its rows.
    func resolving(_ scenario: Scenario, rows: Int, member: Int?,
                   _ run: (Scenario, [Bool], MutableMatrixView<Double>) throws(EngineError) -> Void) throws(EngineError) -> Scenario {
        guard scenario.edits.contains(where: \.isInterchange) else { return scenario }
        try scenario.checkDepth()
        var result = Scenario()
        // A scenario that several edits take values from is run once: one array of edits is one address.
        var done: [(source: Scenario, resolved: Scenario, values: Matrix<Double>)] = []
        for edit in scenario.edits {
            guard case .interchange(let unit, let source) = edit.action else {
                result = result.adding(edit)
                continue
            }
            let v = try description.graph.index(of: edit.variable)
            var found = done.first { $0.source.isIdentical(to: source) }
            if found == nil {
                let resolved = try resolving(source, rows: rows, member: member, run)
                // What any of the edits takes from it: variables, or the parents of those whose units are taken.
                var wanted = [Bool](repeating: false, count: variables.count)
                for other in scenario.edits {
                    guard case .interchange(let unit, let from) = other.action, from.isIdentical(to: source) else { continue }
                    let w = try description.graph.index(of: other.variable)
                    for needed in unit == nil ? [w] : description.parents[w] { wanted[needed] = true }
                }
                var values = try Matrix<Double>(rows: rows, columns: variables.count, repeating: 0)
                try values.withMutableView { values throws(EngineError) in try run(resolved, wanted, values) }
                found = (source, resolved, values)
                done.append(found!)
            }
            let action: Scenario.Action
            if let unit {
                try unit.check(description.mechanisms[v], of: variables[v], isRoot: description.isRoot(v))
                action = .unit(unit, .rows(try activations(unit, of: v, found!.values, under: found!.resolved, member: member)))
            } else {
                action = .set(.rows((0..<rows).map { found!.values[$0, v] }))
            }
            result = result.adding(Scenario.Edit(variable: edit.variable, action: action, rows: edit.rows, condition: edit.condition))
        }
        return result
    }

    /// What a hidden unit is in a run of which the values are known.
    private func activations(_ unit: HiddenUnit, of v: Int, _ values: Matrix<Double>, under scenario: Scenario, member: Int?) throws(EngineError) -> [Double] {
        let compiled = try CompiledScenario(scenario, description, rows: values.rows)
        guard !compiled.edits[v].contains(where: \.replaces) else {
            throw EngineError(.value, "scenario: a unit of \(variables[v].name) is taken from a run that replaces its mechanism, expected one in which it speaks")
        }
        var result = [Double](repeating: 0, count: values.rows)
        try result.withUnsafeMutableBufferPointer { result throws(EngineError) in
            let result = result.baseAddress ?? emptyAddress()
            try values.withView { values throws(EngineError) in
                try forEachMember(member, rows: values.rows) { member, share throws(EngineError) in
                    let mechanism = mechanisms[v], network = mechanism.network!
                    try mechanisms.forEachChunk(of: share) { rows throws(EngineError) in
                        try withColumns(variables.count, rows: rows.count, Double.self) { columns throws(EngineError) in
                            columns.read(values, from: rows.lowerBound)
                            let concerned = try compiled.edits[v].map { edit throws(EngineError) in try edit.concerned(rows, columns) }
                            let intervention = try compiled.unitsSet(v, of: network, rows, concerned) as Intervention<Scalar>
                            try withColumns(network.inputs + network.outputs, rows: rows.count, Scalar.self) { codes throws(EngineError) in
                                mechanism.code.encode(columns, into: codes)
                                try withColumns(network.traceColumns, rows: rows.count, Scalar.self) { memory throws(EngineError) in
                                    let trace = network.trace(in: memory)
                                    network.forward(codes, mechanism.parameters[member].pointer, setting: intervention.bySite, trace,
                                                    into: codes.from(network.inputs))
                                    withExtendedLifetime(intervention) {}
                                    Scalar.widen(network.values(ofUnit: unit.unit, layer: unit.layer, in: trace), into: result + rows.lowerBound, count: rows.count)
                                }
                            }
                        }
                    }
                }
            }
        }
        return result
    }
}

extension Scenario {
    fileprivate func isIdentical(to other: Scenario) -> Bool {
        edits.count == other.edits.count
            && edits.withUnsafeBufferPointer { edits in other.edits.withUnsafeBufferPointer { $0.baseAddress == edits.baseAddress } }
    }
}

extension Scenario.Edit {
    fileprivate var isInterchange: Bool {
        if case .interchange = action { true } else { false }
    }
}
