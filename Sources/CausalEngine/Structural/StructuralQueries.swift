public import CausalKernels

extension StructuralModel {
    /// New rows under a scenario, (rows, variables). The same seed gives the same noise under every scenario.
    ///
    /// - Parameters:
    ///   - member: who answers; nil for all in turn, each for an equal share of the rows.
    ///   - draws: row i has the noise of row i % draws, so that many scenarios, each of so many rows, meet the same chances; nil: each row
    ///     has its own.
    ///   - wanted: by variable, which are asked for; nil for all. The others are NaN.
    /// - Throws: what the scenario's names, values and functions give reason for; `.value` where a hidden common cause leaves what is wanted
    ///   unidentified.
    public func sample(rows: Int, under scenario: Scenario = Scenario(), member: Int? = nil, seed: UInt64, draws: Int? = nil,
                       wanted: [Bool]? = nil) throws(EngineError) -> Matrix<Double> {
        var values = try Matrix<Double>(rows: rows, columns: variables.count, repeating: 0)
        try values.withMutableView { values throws(EngineError) in try sample(under: scenario, member: member, seed: seed, draws: draws, wanted: wanted, into: values) }
        return values
    }

    package func sample(under scenario: Scenario, member: Int?, seed: UInt64, draws: Int?, wanted: [Bool]?,
                        into values: MutableMatrixView<Double>) throws(EngineError) {
        try expect(values.columns, "sample")
        let scenario = try resolving(scenario, rows: values.rows, member: member) { source, wanted, values throws(EngineError) in
            try draw(under: source, member: member, seed: seed, draws: draws, wanted: wanted, into: values)
        }
        try draw(under: scenario, member: member, seed: seed, draws: draws, wanted: wanted, into: values)
        leaveOut(wanted, of: values)
    }

    /// `sample` under a scenario without interchanges, which computes what is not wanted too.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    func draw(under scenario: Scenario, member: Int?, seed: UInt64, draws: Int?, wanted: [Bool]?, into values: MutableMatrixView<Double>) throws(EngineError) {
        let compiled = try CompiledScenario(scenario, description, rows: values.rows)
        try expectIdentified(wanted, under: compiled, drawsNoise: true)
        try forEachMember(member, rows: values.rows) { member, rows throws(EngineError) in
            let replacements = try replacements(compiled, member: member)
            try mechanisms.forEachChunk(of: rows) { rows throws(EngineError) in
                try withColumns(variables.count + noiseWidth, rows: rows.count, Double.self) { columns throws(EngineError) in
                    let noise = columns.from(variables.count)
                    try drawNoise(rows, draws: draws, member: member, seed: seed, into: noise)
                    try Simulation(model: self, member: member, scenario: compiled, replacements: replacements, rows: rows, noise: noise, values: columns).run()
                    columns.write(to: values, from: rows.lowerBound)
                }
            }
        }
    }

    /// What would have been, had the scenario held: for each row of `factual` the noise that made it (abduction), the same noise under
    /// the scenario (action), and what comes of it (prediction). Pearl 2009, theorem 7.1.7.
    ///
    /// Variables that the scenario does not affect keep their values to the bit. A variable that do() had set (`isSet`) stays set, unless the
    /// scenario says otherwise. For continuous variables the answer rests on noise entering monotonically; for a category that was seen, on
    /// Gumbel noise, of which `seed` draws one possibility.
    ///
    /// - Throws: `.value` where a number that the answer rests on is missing, naming row and variable.
    public func counterfactual(_ factual: Matrix<Double>, isSet: [Bool]? = nil, under scenario: Scenario, member: Int, seed: UInt64 = 0,
                               wanted: [Bool]? = nil) throws(EngineError) -> Matrix<Double> {
        let data = try StructuralDataset(factual, isSet: isSet)
        var values = factual
        try values.withMutableView { values throws(EngineError) in
            try counterfactual(data.view, isSet: data.setView, under: scenario, member: member, seed: seed, wanted: wanted, into: values)
        }
        return values
    }

    package func counterfactual(_ factual: MatrixView<Double>, isSet: MatrixView<UInt8>?, under scenario: Scenario, member: Int, seed: UInt64,
                                wanted: [Bool]?, into values: MutableMatrixView<Double>) throws(EngineError) {
        try check(member: member)
        try expect(factual.columns, "counterfactual: the rows")
        guard values.rows == factual.rows, values.columns == factual.columns else {
            throw EngineError(.shape, "counterfactual: an answer of shape \(values.shape) for rows of shape \(factual.shape)")
        }
        try checkAllowed(factual, "counterfactual")
        let scenario = try resolving(scenario, rows: factual.rows, member: member) { source, wanted, values throws(EngineError) in
            try imagine(factual, isSet: isSet, under: source, member: member, seed: seed, wanted: wanted, into: values)
        }
        try imagine(factual, isSet: isSet, under: scenario, member: member, seed: seed, wanted: wanted, into: values)
        leaveOut(wanted, of: values)
    }

    /// `counterfactual` under a scenario without interchanges.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    private func imagine(_ factual: MatrixView<Double>, isSet: MatrixView<UInt8>?, under scenario: Scenario, member: Int, seed: UInt64, wanted: [Bool]?,
                         into values: MutableMatrixView<Double>) throws(EngineError) {
        let compiled = try CompiledScenario(keeping(isSet, of: factual, under: scenario), description, rows: factual.rows)
        try expectIdentified(wanted, under: compiled, drawsNoise: false)
        try checkKnown(factual, isSet, compiled)
        let replacements = try replacements(compiled, member: member)
        try mechanisms.forEachChunk(of: 0..<factual.rows) { rows throws(EngineError) in
            try withColumns(2 * variables.count + noiseWidth, rows: rows.count, Double.self) { columns throws(EngineError) in
                let facts = columns.from(variables.count), noise = facts.from(variables.count)
                facts.read(factual, from: rows.lowerBound)
                try mechanisms.abduct(facts, isSet: isSet, rows, member: member, seed: seed, into: noise)
                try Simulation(model: self, member: member, scenario: compiled, replacements: replacements, rows: rows, noise: noise, factual: facts,
                               values: columns).run()
                columns.write(to: values, from: rows.lowerBound)
            }
        }
    }

    /// The noise of rows that were seen, (rows, noiseWidth); NaN where a variable was set, or is missing, or a parent of it is.
    public func abduct(_ factual: Matrix<Double>, isSet: [Bool]? = nil, member: Int, seed: UInt64 = 0) throws(EngineError) -> Matrix<Double> {
        let data = try StructuralDataset(factual, isSet: isSet)
        var noise = try Matrix<Double>(rows: factual.rows, columns: noiseWidth, repeating: 0)
        try noise.withMutableView { noise throws(EngineError) in
            try abduct(data.view, isSet: data.setView, member: member, seed: seed, into: noise)
        }
        return noise
    }

    package func abduct(_ factual: MatrixView<Double>, isSet: MatrixView<UInt8>?, member: Int, seed: UInt64,
                        into noise: MutableMatrixView<Double>) throws(EngineError) {
        try check(member: member)
        try expect(factual.columns, "abduction: the rows")
        guard noise.rows == factual.rows, noise.columns == noiseWidth else {
            throw EngineError(.shape, "abduction: noise of shape \(noise.shape), expected (\(factual.rows), \(noiseWidth))")
        }
        try checkAllowed(factual, "abduction")
        try mechanisms.abduct(factual, isSet: isSet, member: member, seed: seed, into: noise)
    }

    // MARK: Checks

    /// Where a common cause is hidden, a regression on the parents may find another mechanism than the one that do() meets.
    private func expectIdentified(_ wanted: [Bool]?, under scenario: CompiledScenario, drawsNoise: Bool) throws(EngineError) {
        guard wanted.map({ $0.count == variables.count }) ?? true else {
            throw EngineError(.shape, "structural model: \(wanted!.count) variables are wanted or not, expected \(variables.count)")
        }
        let edited = variables.indices.filter { !scenario.edits[$0].isEmpty }
        guard !edited.isEmpty, description.hasHiddenCauses else { return }
        let graph = description.graph, outcomes = variables.indices.filter { wanted?[$0] ?? true }
        // What is asked rests on the mechanisms that still speak while the scenario holds, and on what its edits read.
        let remaining = scenario.rewired.causes(of: outcomes)
        var effects = Set<Int>(), culprits: [Int] = []
        for v in edited { effects.formUnion(try scenario.rewired.descendants(of: v)) }
        for v in variables.indices where remaining.contains(v) && (effects.contains(v) && !scenario.isCut(v) || scenario.keepsNoise(v)) {
            if try graph.mechanismIsConfounded(v) { culprits.append(v) }
        }
        if drawsNoise {
            // Noise that is drawn from a law, and not from rows that were seen, has lost what it shared.
            let heard = remaining.filter { !scenario.dropsNoise($0) }
            culprits += graph.confoundedPairs.filter { heard.contains($0.first) && heard.contains($0.second) }
                .flatMap { [$0.first, $0.second] }.filter { mechanisms[$0].distribution != nil }
        }
        if let culprit = culprits.first {
            throw EngineError(.value, "not identified: \(variables[culprit].name) shares a hidden cause with another variable that the answer rests on, so "
                + "that its mechanism, learned from its parents, is not the one that do() would meet; the effect may still be identified in another way")
        }
    }

    private func leaveOut(_ wanted: [Bool]?, of values: MutableMatrixView<Double>) {
        guard let wanted else { return }
        for v in wanted.indices where !wanted[v] {
            for row in 0..<values.rows { values.pointer[row * values.columns + v] = .nan }
        }
    }

    func expect(_ columns: Int, _ name: String) throws(EngineError) {
        guard columns == variables.count else {
            throw EngineError(.shape, "\(name): \(columns) columns, expected \(variables.count), one a variable")
        }
    }

    func checkAllowed(_ values: MatrixView<Double>, _ name: String) throws(EngineError) {
        for row in 0..<values.rows {
            for (v, variable) in variables.enumerated() {
                let value = values.pointer[row * values.columns + v]
                guard value.isNaN || variable.allows(value) else {
                    throw EngineError(.value, "\(name): \(variable.name) is \(value) in row \(row), expected \(variable.expectation), or NaN where it is missing")
                }
            }
        }
    }

    /// The scenario, and what do() had set already, where the scenario does not say otherwise.
    private func keeping(_ isSet: MatrixView<UInt8>?, of factual: MatrixView<Double>, under scenario: Scenario) -> Scenario {
        guard let isSet else { return scenario }
        var result = scenario
        for (v, variable) in variables.enumerated() where !scenario.edits.contains(where: { $0.variable == variable.name }) {
            let rows = (0..<isSet.rows).map { isSet.pointer[$0 * isSet.columns + v] != 0 }
            guard rows.contains(true) else { continue }
            let values = (0..<isSet.rows).map { factual.pointer[$0 * isSet.columns + v] }
            result = result.setting(variable.name, to: .rows(values), rows: rows)
        }
        return result
    }

    /// A variable that is computed anew rests on its noise, which rests on its value and on those of its parents.
    private func checkKnown(_ factual: MatrixView<Double>, _ isSet: MatrixView<UInt8>?, _ scenario: CompiledScenario) throws(EngineError) {
        for v in scenario.order where scenario.isAffected[v] && !scenario.dropsNoise(v) {
            for row in 0..<factual.rows where !(scenario.edits[v].contains { $0.replaces && !$0.keepsNoise && $0.condition == nil && $0.rows![row] }) {
                for needed in [v] + description.parents[v] where factual.pointer[row * factual.columns + needed].isNaN {
                    throw EngineError(.value, "counterfactual: \(variables[needed].name) is missing in row \(row), and what \(variables[v].name) "
                        + "would have been rests on it")
                }
                if isSet.map({ $0.pointer[row * $0.columns + v] != 0 }) ?? false {
                    throw EngineError(.value, "counterfactual: \(variables[v].name) was set in row \(row), so that its noise is not known, and the "
                        + "scenario edits it without setting it")
                }
            }
        }
    }

    /// Whose turn it is: one member for all rows, or all for equal shares.
    func forEachMember(_ member: Int?, rows: Int, _ body: (Int, Range<Int>) throws(EngineError) -> Void) throws(EngineError) {
        if let member {
            try check(member: member)
            return try body(member, 0..<rows)
        }
        for member in 0..<members {
            // Without a product that may be too large.
            func first(_ member: Int) -> Int { rows / members * member + rows % members * member / members }
            let share = first(member)..<first(member + 1)
            if !share.isEmpty { try body(member, share) }
        }
    }
}
