internal import CausalKernels

extension StructuralModel {
    /// Computes all variables, causes before effects, from their noise under a scenario: (rows, variables) from (rows, noiseWidth).
    ///
    /// `said`, of the shape of the values, gets what each mechanism said before it was edited. `firstRow` is the number that the first of these rows has in the scenario. What that does not affect is copied from `factual` where that is given, to the bit.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    func simulate(_ noise: MatrixView<Double>, member: Int, under scenario: CompiledScenario, firstRow: Int = 0,
                  factual: MatrixView<Double>? = nil, saying said: UnsafeMutablePointer<Double>? = nil, into values: MutableMatrixView<Double>) throws(EngineError) {
        let replacements = try replacements(scenario, member: member)
        try mechanisms.forEachChunk(of: values.rows) { rows throws(EngineError) in
            try Simulation(model: self, member: member, scenario: scenario, replacements: replacements, rows: firstRow + rows.lowerBound..<firstRow + rows.upperBound,
                           noise: noise.pointer + rows.lowerBound * noiseWidth,
                           factual: factual.map { $0.pointer + rows.lowerBound * $0.columns },
                           said: said.map { $0 + rows.lowerBound * values.columns },
                           values: values.pointer + rows.lowerBound * values.columns).run()
        }
    }
}

/// The pass over one chunk of rows. Addresses are those of its first row.
private struct Simulation<Scalar: EngineScalar> {
    let model: StructuralModel<Scalar>
    let member: Int
    let scenario: CompiledScenario
    let replacements: [[Replacement<Scalar>?]]
    let rows: Range<Int>
    let noise: UnsafePointer<Double>
    let factual: UnsafePointer<Double>?
    let said: UnsafeMutablePointer<Double>?
    let values: UnsafeMutablePointer<Double>

    private var count: Int { rows.count }
    private var columns: Int { model.mechanisms.count }

    func run() throws(EngineError) {
        for v in scenario.order {
            if let factual, !scenario.isAffected[v] {
                for i in 0..<count { values[i * columns + v] = factual[i * columns + v] }
            } else {
                try compute(v)
            }
        }
    }

    private func compute(_ v: Int) throws(EngineError) {
        let edits = scenario.edits[v]
        var concerned: [[Bool]] = []
        for edit in edits { concerned.append(try edit.concerned(rows, values, columns: columns)) }
        let isReplaced = try rowsReplaced(v, edits, concerned)
        if !isReplaced.allSatisfy({ $0 }) { try runMechanism(v, isIgnored: isReplaced, concerned) }
        if let said {
            for i in 0..<count { said[i * columns + v] = values[i * columns + v] }
        }
        for (k, edit) in edits.enumerated() {
            if case .mechanism = edit.action {
                try run(replacements[v][k]!, for: v, concerned[k])
            } else {
                try apply(edit, to: v, concerned[k])
            }
        }
        if let factual { keepFacts(v, factual) { i in concerned.contains { $0[i] } } }
        try checkFinite(v)
    }

    /// - Throws: `.value` where known causes gave no number: what they are set to may be more than a network's numbers hold.
    private func checkFinite(_ v: Int) throws(EngineError) {
        for i in 0..<count where !values[i * columns + v].isFinite {
            let parents = model.description.parents[v]
            guard parents.allSatisfy({ values[i * columns + $0].isFinite }) else { continue }
            let causes = parents.map { "\(model.variables[$0].name) = \(values[i * columns + $0])" }.joined(separator: ", ")
            throw EngineError(.value, "structural model: \(model.variables[v].name) comes to \(values[i * columns + v]) in row \(rows.lowerBound + i)"
                + (causes.isEmpty ? "" : ", from \(causes)") + ", expected a finite number: too far from what was learned for \(Scalar.typeName)")
        }
    }

    /// In a row that no edit concerns, and where the parents are what they were, a variable is what it was, to the bit.
    private func keepFacts(_ v: Int, _ factual: UnsafePointer<Double>, isConcerned: (Int) -> Bool) {
        let parents = model.description.parents[v]
        for i in 0..<count where !isConcerned(i) {
            let row = i * columns
            if parents.allSatisfy({ values[row + $0].bitPattern == factual[row + $0].bitPattern }) { values[row + v] = factual[row + v] }
        }
    }

    /// What the mechanism says in the rows that do not ignore it.
    private func runMechanism(_ v: Int, isIgnored: [Bool], _ concerned: [[Bool]]) throws(EngineError) {
        let mechanism = model.mechanisms[v], width = mechanism.headWidth, noise = noise + model.mechanisms.noiseOffsets[v]
        try withScratch(count * width, Double.self) { heads throws(EngineError) in
            try mechanism.heads(MatrixView(values, rows: count, columns: columns), member: member,
                                isIgnored: isIgnored, under: scenario.unitsSet(v, rows, concerned, in: mechanism.model), into: heads)
            let values = values + v, columns = columns, stride = model.noiseWidth
            for i in 0..<count where !isIgnored[i] { values[i * columns] = mechanism.generate(heads + i * width, noise + i * stride) }
        }
    }

    /// What another mechanism says in the rows that it concerns.
    private func run(_ new: Replacement<Scalar>, for v: Int, _ isConcerned: [Bool]) throws(EngineError) {
        let mechanism = new.mechanism, width = mechanism.headWidth, noiseWidth = mechanism.noiseWidth
        try withScratch(count * (width + noiseWidth), Double.self) { heads throws(EngineError) in
            let noises = heads + count * width
            new.noise(noise + model.mechanisms.noiseOffsets[v], stride: model.noiseWidth, rows: rows, into: noises)
            try mechanism.heads(MatrixView(values, rows: count, columns: columns), member: new.member, isIgnored: isConcerned.map(!), into: heads)
            for i in 0..<count where isConcerned[i] { values[i * columns + v] = mechanism.generate(heads + i * width, noises + i * noiseWidth) }
        }
    }

    // MARK: Edits

    /// - Throws: `.value` where a row is replaced and edited once more.
    private func rowsReplaced(_ v: Int, _ edits: [CompiledScenario.Edit], _ concerned: [[Bool]]) throws(EngineError) -> [Bool] {
        var isReplaced = [Bool](repeating: false, count: count)
        for (k, edit) in edits.enumerated() where edit.replaces {
            for i in 0..<count where concerned[k][i] {
                isReplaced[i] = true
                guard let other = edits.indices.first(where: { $0 != k && concerned[$0][i] }) else { continue }
                throw EngineError(.value, "scenario: row \(rows.lowerBound + i) of \(model.variables[v].name) is replaced by edit \(k) of this "
                    + "variable and concerned by edit \(other) too, expected no other edit of what is replaced")
            }
        }
        return isReplaced
    }

    private func apply(_ edit: CompiledScenario.Edit, to v: Int, _ isConcerned: [Bool]) throws(EngineError) {
        func forEachRow(_ body: (Int, inout Double) -> Void) {
            for i in 0..<count where isConcerned[i] { body(i, &values[i * columns + v]) }
        }
        let first = rows.lowerBound
        switch edit.action {
        case .set(let value): forEachRow { $1 = value[first + $0] }
        case .shift(let amount): forEachRow { $1 += amount[first + $0] }
        case .scale(let factor): forEachRow { $1 *= factor[first + $0] }
        case .clamp(let range): forEachRow { $1 = $1.isNaN ? $1 : min(max($1, range.lowerBound), range.upperBound) }
        case .compute(let computation):
            let results = try computation.evaluate(values, rows: count, columns: columns), variable = model.variables[v]
            for i in 0..<count where isConcerned[i] && !variable.allows(results[i]) {
                throw EngineError(.value, "scenario: \(variable.name) is computed to be \(results[i]) in row \(first + i), expected \(variable.expectation)")
            }
            forEachRow { $1 = results[$0] }
        case .linear(let line):
            for i in 0..<count where isConcerned[i] {
                let result = line.value(first + i, values + i * columns)
                guard result.isFinite else {
                    throw EngineError(.value, "scenario: \(model.variables[v].name) is computed to be \(result) in row \(first + i), expected a finite number")
                }
                values[i * columns + v] = result
            }
        case .mechanism, .unit: break      // they act while mechanisms run
        }
    }
}
