internal import CausalKernels

/// A scenario made ready for a number of rows of one model: names are numbers, the graph is rewired, and the order is that of the new one.
struct CompiledScenario: Sendable {
    struct Edit: Sendable {
        let action: Action
        let rows: [Bool]?
        let condition: Computation?
        let replaces: Bool
        let keepsNoise: Bool
        let concernsAllRows: Bool

        /// Which of some rows, of which the values are given, it concerns.
        func concerned(_ rows: Range<Int>, _ values: Columns<Double>) throws(EngineError) -> [Bool] {
            var isConcerned = self.rows.map { Array($0[rows]) } ?? [Bool](repeating: true, count: rows.count)
            if let condition {
                let isMet = try condition.evaluate(values)
                for i in isMet.indices where isMet[i] == 0 { isConcerned[i] = false }
            }
            return isConcerned
        }
    }

    enum Action: Sendable {
        case set(Scenario.Value)
        case shift(Scenario.Value)
        case scale(Scenario.Value)
        case clamp(ClosedRange<Double>)
        case compute(Computation)
        case mechanism(NewMechanism)
        case linear(Line)
        case network(NetworkRun)
        case unit(HiddenUnit, Scenario.Value)
    }

    struct Computation: Sendable {
        let reads: [Int]
        let function: Scenario.Function

        /// Its results for some rows of all variables.
        func evaluate(_ values: Columns<Double>) throws(EngineError) -> [Double] {
            var results = [Double](repeating: 0, count: values.rows)
            try withScratch(values.rows * reads.count, Double.self) { arguments throws(EngineError) in
                for (k, variable) in reads.enumerated() {
                    for i in 0..<values.rows { arguments[i * reads.count + k] = values[variable][i] }
                }
                try results.withUnsafeMutableBufferPointer { results throws(EngineError) in
                    try function(MatrixView(arguments, rows: values.rows, columns: reads.count), results.baseAddress!)
                }
            }
            return results
        }
    }

    /// By variable.
    let edits: [[Edit]]
    let order: [Int]
    /// Whether a variable may differ from what it is without the scenario: it is edited, or an effect of one that is.
    let isAffected: [Bool]
    let hasNewMechanisms: Bool
    /// The graph while the scenario holds.
    let rewired: Graph

    /// Whether the mechanism of a variable is not asked in any row.
    func isCut(_ variable: Int) -> Bool { edits[variable].contains { $0.replaces && $0.concernsAllRows } }

    /// Whether the noise of a variable goes nowhere.
    func dropsNoise(_ variable: Int) -> Bool { edits[variable].contains { $0.replaces && $0.concernsAllRows && !$0.keepsNoise } }

    /// Whether a variable may take a new mechanism with the noise that it has.
    func keepsNoise(_ variable: Int) -> Bool { edits[variable].contains { $0.replaces && $0.keepsNoise } }

    init(_ scenario: Scenario, _ description: StructuralDescription, rows: Int) throws(EngineError) {
        let names = Dictionary(uniqueKeysWithValues: description.variables.enumerated().map { ($1.name, $0) })
        func index(_ name: String) throws(EngineError) -> Int {
            guard let index = names[name] else {
                throw EngineError(.name, "scenario: there is no variable \"\(name)\", expected one of \(description.graph.names.joined(separator: ", "))")
            }
            return index
        }
        func computation(_ reads: [String], _ function: @escaping Scenario.Function) throws(EngineError) -> Computation {
            var indices: [Int] = []
            for name in reads { indices.append(try index(name)) }
            return Computation(reads: indices, function: function)
        }

        var edits = [[Edit]](repeating: [], count: description.count)
        var reads = [[Int]](repeating: [], count: description.count)
        for edit in scenario.edits {
            let v = try index(edit.variable), variable = description.variables[v]
            try check(edit, variable, rows: rows)
            if case .unit(let unit, _) = edit.action { try unit.check(description.mechanisms[v], of: variable, isRoot: description.isRoot(v)) }
            for name in edit.reads { reads[v].append(try index(name)) }
            let action: Action = switch edit.action {
            case .set(let value): .set(value)
            case .shift(let value): .shift(value)
            case .scale(let value): .scale(value)
            case .clamp(let range): .clamp(range)
            case .compute(let arguments, let function): .compute(try computation(arguments, function))
            case .mechanism(let new): .mechanism(new)
            case .unit(let unit, let value): .unit(unit, value)
            case .interchange: throw EngineError(.state, "scenario: an interchange whose other run has not come first")
            case .network(let policy):
                .network(try NetworkRun(policy, of: variable, reads: try policy.reads.map(index), description))
            case .linear(let policy):
                .linear(Line(reads: try policy.reads.map { name throws(EngineError) in
                    let read = try index(name)
                    guard description.variables[read].codeWidth == 1 else {
                        throw EngineError(.value, "scenario: the linear policy of \(variable.name) reads \(name), which has several levels, expected real or binary variables")
                    }
                    return read
                }, policy: policy))
            }
            let condition = try edit.condition.map { condition throws(EngineError) in try computation(condition.reads, condition.isMet) }
            edits[v].append(Edit(action: action, rows: edit.rows, condition: condition, replaces: edit.replaces, keepsNoise: edit.keepsNoise,
                                 concernsAllRows: edit.concernsAllRows))
        }
        self.edits = edits
        hasNewMechanisms = edits.contains { $0.contains { if case .mechanism = $0.action { true } else { false } } }

        // The graph while the scenario holds: what an edit reads is a cause, and what replaces a mechanism in all rows cuts its causes off.
        var edges: [Graph.Edge] = []
        for v in 0..<description.count {
            let isCut = edits[v].contains { $0.replaces && $0.concernsAllRows }
            for cause in Set((isCut ? [] : description.parents[v]) + reads[v]).sorted() { edges.append(Graph.Edge(from: cause, to: v)) }
        }
        rewired = try Graph(count: description.count, names: description.graph.names, edges: edges)
        do throws(EngineError) {
            order = try rewired.topologicalOrder()
        } catch {
            throw EngineError(.cycle, "scenario: an edit reads an effect of its own variable (\(error.message))")
        }
        var isAffected = [Bool](repeating: false, count: description.count)
        for v in order where !edits[v].isEmpty {
            isAffected[v] = true
            for effect in try rewired.descendants(of: v) { isAffected[effect] = true }
        }
        self.isAffected = isAffected
    }
}

private func check(_ edit: Scenario.Edit, _ variable: Variable, rows: Int) throws(EngineError) {
    if let given = edit.rows, given.count != rows {
        throw EngineError(.shape, "scenario: \(given.count) rows are chosen or not at \(variable.name), expected \(rows)")
    }
    func values(_ value: Scenario.Value, _ what: String, _ isFine: (Double) -> Bool, _ expectation: String) throws(EngineError) {
        switch value {
        case .constant(let number):
            guard isFine(number) else { throw EngineError(.value, "scenario: \(variable.name) is \(what) \(number), expected \(expectation)") }
        case .rows(let numbers):
            guard numbers.count == rows else {
                throw EngineError(.shape, "scenario: \(variable.name) is \(what) \(numbers.count) values, expected \(rows), one a row")
            }
            // What belongs to a row that is not concerned is not looked at.
            for (row, number) in numbers.enumerated() where (edit.rows?[row] ?? true) && !isFine(number) {
                throw EngineError(.value, "scenario: \(variable.name) is \(what) \(number) in row \(row), expected \(expectation)")
            }
        }
    }
    switch edit.action {
    case .set(let value): try values(value, "set to", variable.allows, variable.expectation)
    case .shift(let value): try values(value, "shifted by", \.isFinite, "a finite number")
    case .scale(let value): try values(value, "scaled by", \.isFinite, "a finite number")
    case .clamp(let range):
        guard !range.lowerBound.isNaN, !range.upperBound.isNaN else {
            throw EngineError(.value, "scenario: \(variable.name) is kept within \(range.lowerBound) and \(range.upperBound)")
        }
    case .mechanism(let new):
        if case .formula(_, .some(let noise)) = new.source { try values(noise, "given the noise", \.isFinite, "a finite number") }
    case .linear(let policy): try policy.check(for: variable, rows: rows)
    case .unit(let unit, let value):
        try values(value, "given, in unit \(unit.unit) of hidden layer \(unit.layer),", \.isFinite, "a finite number")
        return
    case .compute, .network, .interchange: break
    }
    guard variable.kind == .real || edit.replaces else {
        throw EngineError(.value, "scenario: \(variable.name) is categorical, expected it to be set, or computed from other variables")
    }
}
