internal import CausalKernels

/// The pass over a chunk of rows: all variables, causes before effects, from their noise under a scenario.
struct Simulation<Scalar: EngineScalar> {
    let model: StructuralModel<Scalar>
    let member: Int
    let scenario: CompiledScenario
    let replacements: [[Replacement<Scalar>?]]
    /// Their numbers in the scenario.
    let rows: Range<Int>
    let noise: Columns<Double>
    /// What a scenario does not affect is copied from here, to the bit.
    var factual: Columns<Double>?
    /// Gets what each mechanism said before it was edited.
    var said: Columns<Double>?
    let values: Columns<Double>

    private var count: Int { rows.count }

    func run() throws(EngineError) {
        for v in scenario.order {
            if let factual, !scenario.isAffected[v] {
                values[v].update(from: factual[v], count: count)
            } else {
                try compute(v)
            }
        }
    }

    private func compute(_ v: Int) throws(EngineError) {
        let edits = scenario.edits[v]
        if edits.isEmpty {
            try runMechanism(v, isIgnored: nil, [])
            if let factual { keepFacts(v, factual) { _ in false } }
        } else {
            try computeEdited(v, edits)
        }
        try checkFinite(v)
    }

    private func computeEdited(_ v: Int, _ edits: [CompiledScenario.Edit]) throws(EngineError) {
        let concerned = try edits.map { edit throws(EngineError) in try edit.concerned(rows, values) }
        let isReplaced = try rowsReplaced(v, edits, concerned)
        if !isReplaced.allSatisfy({ $0 }) { try runMechanism(v, isIgnored: isReplaced, concerned) }
        if let said { said[v].update(from: values[v], count: count) }
        for (k, edit) in edits.enumerated() {
            if case .mechanism = edit.action {
                try run(replacements[v][k]!, for: v, concerned[k])
            } else {
                try apply(edit, to: v, concerned[k])
            }
        }
        if let factual { keepFacts(v, factual) { i in concerned.contains { $0[i] } } }
    }

    /// - Throws: `.value` where known causes gave no number: what they are set to may be more than a network's numbers hold.
    private func checkFinite(_ v: Int) throws(EngineError) {
        var i = 0
        while true {
            i += Double.kernels.firstNonFinite(values[v] + i, count: count - i)
            guard i < count else { return }
            let parents = model.description.parents[v]
            if parents.allSatisfy({ values[$0][i].isFinite }) {
                let causes = parents.map { "\(model.variables[$0].name) = \(values[$0][i])" }.joined(separator: ", ")
                throw EngineError(.value, "structural model: \(model.variables[v].name) comes to \(values[v][i]) in row \(rows.lowerBound + i)"
                    + (causes.isEmpty ? "" : ", from \(causes)") + ", expected a finite number: too far from what was learned for \(Scalar.typeName)")
            }
            i += 1
        }
    }

    /// In a row that no edit concerns, and where the parents are what they were, a variable is what it was, to the bit.
    private func keepFacts(_ v: Int, _ factual: Columns<Double>, isConcerned: (Int) -> Bool) {
        let parents = model.description.parents[v]
        for i in 0..<count where !isConcerned(i) {
            if parents.allSatisfy({ values[$0][i].bitPattern == factual[$0][i].bitPattern }) { values[v][i] = factual[v][i] }
        }
    }

    /// What the mechanism says. It ignores the parents in rows that are replaced.
    private func runMechanism(_ v: Int, isIgnored: [Bool]?, _ concerned: [[Bool]]) throws(EngineError) {
        let mechanism = model.mechanisms[v]
        try withColumns(mechanism.headWidth, rows: count, Double.self) { heads throws(EngineError) in
            try mechanism.heads(values, member: member, isIgnored: isIgnored, under: scenario.unitsSet(v, of: mechanism.network, rows, concerned), into: heads)
            mechanism.generate(heads, noise.from(model.mechanisms.noiseOffsets[v]), into: values[v])
        }
    }

    /// What another mechanism says in the rows that it concerns.
    private func run(_ new: Replacement<Scalar>, for v: Int, _ isConcerned: [Bool]) throws(EngineError) {
        let mechanism = new.mechanism
        try withColumns(mechanism.headWidth + mechanism.noiseWidth + 1, rows: count, Double.self) { heads throws(EngineError) in
            let noises = heads.from(mechanism.headWidth), said = noises[mechanism.noiseWidth]
            new.noise(noise.from(model.mechanisms.noiseOffsets[v]), firstRow: rows.lowerBound, into: noises)
            try mechanism.heads(values, member: new.member, isIgnored: isConcerned.map(!), into: heads)
            mechanism.generate(heads, noises, into: said)
            for i in 0..<count where isConcerned[i] { values[v][i] = said[i] }
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
            for i in 0..<count where isConcerned[i] { body(i, &values[v][i]) }
        }
        let first = rows.lowerBound
        switch edit.action {
        case .set(let value): forEachRow { $1 = value[first + $0] }
        case .shift(let amount): forEachRow { $1 += amount[first + $0] }
        case .scale(let factor): forEachRow { $1 *= factor[first + $0] }
        case .clamp(let range): forEachRow { $1 = $1.isNaN ? $1 : min(max($1, range.lowerBound), range.upperBound) }
        case .compute(let computation):
            let results = try computation.evaluate(values), variable = model.variables[v]
            for i in 0..<count where isConcerned[i] && !variable.allows(results[i]) {
                throw EngineError(.value, "scenario: \(variable.name) is computed to be \(results[i]) in row \(first + i), expected \(variable.expectation)")
            }
            forEachRow { $1 = results[$0] }
        case .linear(let line):
            try withScratch(count, Double.self) { results throws(EngineError) in
                for i in 0..<count where isConcerned[i] { results[i] = line.value(first + i, i, values) }
                try set(v, results, isConcerned)
            }
        case .network(let network):
            try withScratch(count, Double.self) { results throws(EngineError) in
                try network.evaluate(values, isIgnored: isConcerned.map(!), into: results)
                try set(v, results, isConcerned)
            }
        case .mechanism, .unit: break      // they act while mechanisms run
        }
    }

    /// What a policy says, where it is a number.
    private func set(_ v: Int, _ results: UnsafePointer<Double>, _ isConcerned: [Bool]) throws(EngineError) {
        for i in 0..<count where isConcerned[i] {
            guard results[i].isFinite else {
                throw EngineError(.value, "scenario: \(model.variables[v].name) is computed to be \(results[i]) in row \(rows.lowerBound + i), expected a "
                    + "finite number")
            }
            values[v][i] = results[i]
        }
    }
}
