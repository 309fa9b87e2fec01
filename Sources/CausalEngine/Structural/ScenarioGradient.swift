public import CausalKernels

extension StructuralModel {
    /// The chain rule through `sample`: from the gradient with respect to each number of a sample, (rows, variables), to those with respect
    /// to the values, amounts and factors of the scenario's edits, one array an edit: empty for an edit that has none, one number where it is
    /// shared by all rows.
    ///
    /// The sample is drawn again, with the same arguments. A variable that was set passes nothing to its causes; a category passes nothing.
    ///
    /// - Throws: as `sample`; `.value` for an edit that computes a value by a function, whose derivative is not known.
    public func gradient(ofSample gradient: Matrix<Double>, under scenario: Scenario, member: Int, seed: UInt64, draws: Int? = nil)
        throws(EngineError) -> [[Double]] {
        try gradient.withView { gradient throws(EngineError) in
            try self.gradient(ofSample: gradient, under: scenario, member: member, seed: seed, draws: draws)
        }
    }

    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    package func gradient(ofSample gradient: MatrixView<Double>, under scenario: Scenario, member: Int, seed: UInt64, draws: Int?)
        throws(EngineError) -> [[Double]] {
        try check(member: member)
        let rows = gradient.rows
        let given = scenario, scenario = try resolving(given, rows: rows, member: member) { source, wanted, values throws(EngineError) in
            try draw(under: source, member: member, seed: seed, draws: draws, wanted: wanted, into: values)
        }
        let compiled = try CompiledScenario(scenario, description, rows: rows)
        guard gradient.columns == variables.count else {
            throw EngineError(.shape, "gradient of a sample: \(gradient.columns) columns, expected \(variables.count), one a variable")
        }
        func unknown(_ what: String) -> EngineError { EngineError(.value, "gradient of a sample: \(what), whose derivative is not known") }
        for edit in scenario.edits {
            switch edit.action {
            case .compute: throw unknown("\(edit.variable) is computed by a function")
            case .set, .shift, .scale, .clamp, .mechanism, .linear, .network, .unit, .interchange: break
            }
        }
        for v in variables.indices where compiled.isAffected[v] && !compiled.isCut(v) && mechanisms[v].formula != nil {
            throw unknown("the mechanism of \(variables[v].name) is a formula")
        }
        // One gradient a row, or of a network a chunk of rows, added up at the end in their order, so that the number of threads changes nothing.
        let chunks = (rows + MechanismTable<Scalar>.chunkRows - 1) / MechanismTable<Scalar>.chunkRows
        let byRow = try compiled.edits.map { edits throws(EngineError) in
            try edits.map { edit throws(EngineError) in
                let (parts, each) = if case .network(let network) = edit.action { (chunks, network.count) } else { (rows, edit.numbersPerRow) }
                return try Storage<Double>(count: checkedSize(parts, each, of: "gradient"), of: "gradient")
            }
        }
        let replacements = try replacements(compiled, member: member)
        for (v, list) in replacements.enumerated() where list.contains(where: { $0?.mechanism.formula != nil }) {
            throw unknown("the new mechanism of \(variables[v].name) is a formula")
        }
        try mechanisms.forEachChunk(of: 0..<rows) { rows throws(EngineError) in
            let count = variables.count
            try withColumns(3 * count + noiseWidth, rows: rows.count, Double.self) { values throws(EngineError) in
                let said = values.from(count), g = said.from(count), noise = g.from(count)
                try drawNoise(rows, draws: draws, member: member, seed: seed, into: noise)
                try Simulation(model: self, member: member, scenario: compiled, replacements: replacements, rows: rows, noise: noise, said: said,
                               values: values).run()
                g.read(gradient, from: rows.lowerBound)
                try ScenarioBackward(model: self, member: member, scenario: compiled, replacements: replacements, rows: rows, noise: noise, values: values,
                                     said: said, g: g, byRow: byRow).run()
            }
        }
        return collect(byRow, compiled, given, rows)
    }

    /// In the order in which the edits were given.
    private func collect(_ byRow: [[Storage<Double>]], _ compiled: CompiledScenario, _ scenario: Scenario, _ rows: Int) -> [[Double]] {
        var next = [Int](repeating: 0, count: variables.count)
        return scenario.edits.map { edit in
            let v = variables.firstIndex { $0.name == edit.variable }!
            defer { next[v] += 1 }
            let gradients = byRow[v][next[v]].buffer
            switch edit.action {
            case .set(.constant), .shift(.constant), .scale(.constant), .unit(_, .constant): return [gradients.reduce(0, +)]
            case .set(.rows), .shift(.rows), .scale(.rows), .unit(_, .rows): return Array(gradients)
            case .linear(let policy): return policy.numbers.count == policy.width ? totals(gradients, policy.width) : Array(gradients)
            case .network(let policy): return totals(gradients, policy.numbers.count)
            case .clamp, .compute, .mechanism, .interchange: return []
            }
        }
    }
}

/// Of parts of so many numbers, one after the other.
private func totals(_ parts: UnsafeBufferPointer<Double>, _ width: Int) -> [Double] {
    var sums = [Double](repeating: 0, count: width)
    for part in 0..<parts.count / width { for k in 0..<width { sums[k] += parts[part * width + k] } }
    return sums
}

extension CompiledScenario.Edit {
    /// Those that a gradient has of one row.
    fileprivate var numbersPerRow: Int {
        if case .linear(let line) = action { line.policy.width } else { 1 }
    }
}

/// The way back through a chunk of rows.
private struct ScenarioBackward<Scalar: EngineScalar> {
    let model: StructuralModel<Scalar>
    let member: Int
    let scenario: CompiledScenario
    let replacements: [[Replacement<Scalar>?]]
    let rows: Range<Int>
    let noise: Columns<Double>
    let values: Columns<Double>
    /// What the mechanisms of variables that are edited said before.
    let said: Columns<Double>
    /// Of the values: what comes from outside, to which is added what comes through effects.
    let g: Columns<Double>
    let byRow: [[Storage<Double>]]

    func run() throws(EngineError) {
        for v in scenario.order.reversed() {
            // What no edit reaches passes the gradient to no edit.
            guard scenario.isAffected[v] else { continue }
            let concerned = try scenario.edits[v].map { edit throws(EngineError) in try edit.concerned(rows, values) }
            if !concerned.isEmpty { try passEdits(v, concerned) }
            try passMechanism(v, concerned)
        }
    }

    /// Through the edits of a variable, the last first.
    private func passEdits(_ v: Int, _ concerned: [[Bool]]) throws(EngineError) {
        let edits = scenario.edits[v]
        // What reaches networks, which take all rows at once; empty for other edits.
        var throughNetworks = edits.map { edit in
            switch edit.action {
            case .mechanism, .network: [Double](repeating: 0, count: rows.count)
            default: [Double]()
            }
        }
        for (i, row) in rows.enumerated() {
            // What stood there before each edit.
            var before: [Double] = [], value = said[v][i]
            for (k, edit) in edits.enumerated() {
                before.append(value)
                guard concerned[k][i] else { continue }
                switch edit.action {
                case .set(let given): value = given[row]
                case .shift(let amount): value += amount[row]
                case .scale(let factor): value *= factor[row]
                case .clamp(let range): value = min(max(value, range.lowerBound), range.upperBound)
                case .unit: break      // it acted on the mechanism
                case .compute, .mechanism, .linear, .network: break      // nothing acts after what replaces
                }
            }
            var slope = g[v][i]
            for (k, edit) in edits.enumerated().reversed() where concerned[k][i] {
                switch edit.action {
                case .set:
                    byRow[v][k].pointer[row] = slope
                    slope = 0
                case .shift: byRow[v][k].pointer[row] = slope
                case .scale(let factor):
                    byRow[v][k].pointer[row] = slope * before[k]
                    slope *= factor[row]
                case .clamp(let range): if !range.contains(before[k]) { slope = 0 }
                case .mechanism, .network:
                    throughNetworks[k][i] = slope
                    slope = 0
                case .linear(let line):
                    line.gradient(slope, row, i, values, numbers: byRow[v][k].pointer + row * line.policy.width, parents: g)
                    slope = 0
                case .compute, .unit: break
                }
            }
            g[v][i] = slope
        }
        for (k, slopes) in throughNetworks.enumerated() where slopes.contains(where: { $0 != 0 }) {
            if case .network(let network) = edits[k].action {
                let chunk = rows.lowerBound / MechanismTable<Scalar>.chunkRows
                try network.gradient(slopes, values, numbers: byRow[v][k].pointer + chunk * network.count, reads: g)
            } else {
                try pass(slopes, through: replacements[v][k]!, for: v)
            }
        }
    }

    /// From a variable to its parents.
    private func passMechanism(_ v: Int, _ concerned: [[Bool]]) throws(EngineError) {
        let mechanism = model.mechanisms[v], edits = scenario.edits[v]
        let intervention = try scenario.unitsSet(v, of: mechanism.network, rows, concerned) as Intervention<Scalar>
        let reaches = !intervention.isEmpty || model.description.parents[v].contains { scenario.isAffected[$0] }
        guard reaches else { return }
        try pass(g[v], through: mechanism, member: member, noise.from(model.mechanisms.noiseOffsets[v]), under: intervention) { layer, unit, row, gradient in
            let edit = edits.indices.first { edits[$0].hiddenUnit == HiddenUnit(layer: layer, unit: unit) && concerned[$0][row] }!
            byRow[v][edit].pointer[rows.lowerBound + row] = Double(gradient)
        }
    }

    /// From a variable to the parents that it has in another mechanism.
    private func pass(_ slopes: [Double], through new: Replacement<Scalar>, for v: Int) throws(EngineError) {
        try withColumns(1 + new.mechanism.noiseWidth, rows: rows.count, Double.self) { columns throws(EngineError) in
            for i in slopes.indices { columns[0][i] = slopes[i] }
            new.noise(noise.from(model.mechanisms.noiseOffsets[v]), firstRow: rows.lowerBound, into: columns.from(1))
            try pass(columns[0], through: new.mechanism, member: new.member, columns.from(1))
        }
    }

    private func pass(_ incoming: UnsafePointer<Double>, through mechanism: FittedMechanism<Scalar>, member: Int, _ noise: Columns<Double>,
                      under intervention: Intervention<Scalar> = Intervention(),
                      ofValues: ((_ layer: Int, _ unit: Int, _ row: Int, _ gradient: Scalar) -> Void)? = nil) throws(EngineError) {
        let width = mechanism.headWidth, inputs = mechanism.code.width, count = rows.count
        guard let network = mechanism.network, (0..<count).contains(where: { incoming[$0] != 0 }) else { return }
        // A row without a gradient reads nothing: its parents may be missing.
        let isIdle = (0..<count).map { incoming[$0] == 0 }
        let parameters = mechanism.parameters[member].pointer
        try withColumns(2 * (inputs + width), rows: count, Scalar.self) { codes throws(EngineError) in
            let edits = intervention.bySite, codeGradients = codes.from(inputs), heads = codeGradients.from(inputs), headGradients = heads.from(width)
            mechanism.code.encode(values, isIgnored: isIdle, into: codes)
            try withColumns(network.traceColumns, rows: count, Scalar.self) { memory throws(EngineError) in
                let trace = network.trace(in: memory)
                network.forward(codes, parameters, setting: edits, trace, into: heads)
                try withColumns(2 * width, rows: count, Double.self) { wide throws(EngineError) in
                    let slopes = wide.from(width)
                    for k in 0..<width { Scalar.widen(heads[k], into: wide[k], count: count) }
                    mechanism.generateGradient(wide, noise, incoming, into: slopes)
                    for k in 0..<width { Scalar.narrow(slopes[k], into: headGradients[k], count: count) }
                    headGradients.fillUp(width)
                }
                network.backward(headGradients, codes, parameters, setting: edits, trace, into: ColumnNetwork.Targets(inputs: codeGradients), ofValues: ofValues)
            }
            withExtendedLifetime(intervention) {}
            mechanism.code.addGradient(codeGradients, to: g)
        }
    }
}
