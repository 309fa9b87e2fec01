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
            case .set, .shift, .scale, .clamp, .mechanism, .linear, .unit, .interchange: break
            }
        }
        for v in variables.indices where compiled.isAffected[v] && !compiled.isCut(v) && mechanisms[v].formula != nil {
            throw unknown("the mechanism of \(variables[v].name) is a formula")
        }
        let noise = try Storage<Double>(count: checkedSize(rows, noiseWidth, of: "noise of \(rows) rows"), of: "noise")
        let values = try Storage<Double>(count: checkedSize(rows, variables.count, of: "values of \(rows) rows"), of: "values")
        let said = try Storage<Double>(count: values.count, of: "values")
        try drawNoise(rows: rows, draws: draws, member: member, seed: seed, into: noise.pointer)
        let noiseView = MatrixView(UnsafePointer(noise.pointer), rows: rows, columns: noiseWidth)
        try simulate(noiseView, member: member, under: compiled, saying: said.pointer,
                     into: MutableMatrixView(values.pointer, rows: rows, columns: variables.count))

        // One gradient a row, added up at the end in the order of the rows, so that the number of threads changes nothing.
        let byRow = try compiled.edits.map { edits throws(EngineError) in
            try edits.map { edit throws(EngineError) in try Storage<Double>(count: checkedSize(rows, edit.numbersPerRow, of: "gradient"), of: "gradient") }
        }
        let replacements = try replacements(compiled, member: member)
        for (v, list) in replacements.enumerated() where list.contains(where: { $0?.mechanism.formula != nil }) {
            throw unknown("the new mechanism of \(variables[v].name) is a formula")
        }
        try mechanisms.forEachChunk(of: rows) { chunk throws(EngineError) in
            try ScenarioBackward(model: self, member: member, scenario: compiled, replacements: replacements, rows: chunk, noise: noise.pointer, values: values.pointer,
                                 said: said.pointer, byRow: byRow).run(gradient)
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
            case .linear(let policy):
                guard policy.numbers.count == policy.width else { return Array(gradients) }
                return (0..<policy.width).map { k in (0..<rows).reduce(0) { $0 + gradients[$1 * policy.width + k] } }
            case .clamp, .compute, .mechanism, .interchange: return []
            }
        }
    }
}

extension CompiledScenario.Edit {
    /// Those that a gradient has of one row.
    fileprivate var numbersPerRow: Int {
        if case .linear(let line) = action { line.policy.width } else { 1 }
    }
}

/// The way back through one chunk of rows. Addresses are those of the first row of all.
private struct ScenarioBackward<Scalar: EngineScalar> {
    let model: StructuralModel<Scalar>
    let member: Int
    let scenario: CompiledScenario
    let replacements: [[Replacement<Scalar>?]]
    let rows: Range<Int>
    let noise: UnsafePointer<Double>
    let values: UnsafePointer<Double>
    /// What each mechanism said, before it was edited.
    let said: UnsafePointer<Double>
    let byRow: [[Storage<Double>]]

    private var columns: Int { model.mechanisms.count }

    func run(_ incoming: MatrixView<Double>) throws(EngineError) {
        try withScratch(rows.count * columns, Double.self) { g throws(EngineError) in
            g.update(from: incoming.pointer + rows.lowerBound * columns, count: rows.count * columns)
            for v in scenario.order.reversed() {
                try passEdits(v, g)
                try passMechanism(v, g)
            }
        }
    }

    /// Through the edits of a variable, the last first.
    private func passEdits(_ v: Int, _ g: UnsafeMutablePointer<Double>) throws(EngineError) {
        let edits = scenario.edits[v]
        guard !edits.isEmpty else { return }
        var concerned: [[Bool]] = []
        for edit in edits { concerned.append(try edit.concerned(rows, values + rows.lowerBound * columns, columns: columns)) }
        // What reaches another mechanism; empty for other edits.
        var throughNew = edits.map { edit in
            if case .mechanism = edit.action { [Double](repeating: 0, count: rows.count) } else { [Double]() }
        }
        for i in 0..<rows.count {
            let row = rows.lowerBound + i
            // What stood there before each edit.
            var before: [Double] = [], value = said[row * columns + v]
            for (k, edit) in edits.enumerated() {
                before.append(value)
                guard concerned[k][i] else { continue }
                switch edit.action {
                case .set(let given): value = given[row]
                case .shift(let amount): value += amount[row]
                case .scale(let factor): value *= factor[row]
                case .clamp(let range): value = min(max(value, range.lowerBound), range.upperBound)
                case .unit: break      // it acted on the mechanism
                case .compute, .mechanism, .linear: break      // nothing acts after what replaces
                }
            }
            var slope = g[i * columns + v]
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
                case .mechanism:
                    throughNew[k][i] = slope
                    slope = 0
                case .linear(let line):
                    line.gradient(slope, row, values + row * columns, numbers: byRow[v][k].pointer + row * line.policy.width, parents: g + i * columns)
                    slope = 0
                case .compute, .unit: break
                }
            }
            g[i * columns + v] = slope
        }
        for k in edits.indices where throughNew[k].contains(where: { $0 != 0 }) { try pass(throughNew[k], through: replacements[v][k]!, for: v, g) }
    }

    /// From a variable to its parents.
    private func passMechanism(_ v: Int, _ g: UnsafeMutablePointer<Double>) throws(EngineError) {
        let mechanism = model.mechanisms[v], slopes = (0..<rows.count).map { g[$0 * columns + v] }
        let noise = noise + rows.lowerBound * model.noiseWidth + model.mechanisms.noiseOffsets[v]
        var concerned: [[Bool]] = []
        for edit in scenario.edits[v] where scenario.setsUnits(v) {
            concerned.append(try edit.concerned(rows, values + rows.lowerBound * columns, columns: columns))
        }
        let units = try scenario.unitsSet(v, rows, concerned, in: mechanism.model)
        try pass(slopes, through: mechanism, member: member, noise, stride: model.noiseWidth, under: units, g) { site, width, gradients in
            for (k, edit) in scenario.edits[v].enumerated() {
                guard let unit = edit.unit, unit.site == site else { continue }
                for i in 0..<rows.count where concerned[k][i] { byRow[v][k].pointer[rows.lowerBound + i] = Double(gradients[i * width + unit.unit]) }
            }
        }
    }

    /// From a variable to the parents that it has in another mechanism.
    private func pass(_ slopes: [Double], through new: Replacement<Scalar>, for v: Int, _ g: UnsafeMutablePointer<Double>) throws(EngineError) {
        let width = new.mechanism.noiseWidth
        try withScratch(rows.count * width, Double.self) { noises throws(EngineError) in
            let own = noise + rows.lowerBound * model.noiseWidth + model.mechanisms.noiseOffsets[v]
            new.noise(own, stride: model.noiseWidth, rows: rows, into: noises)
            try pass(slopes, through: new.mechanism, member: new.member, noises, stride: width, g)
        }
    }

    private func pass(_ incoming: [Double], through mechanism: FittedMechanism<Scalar>, member: Int, _ noise: UnsafePointer<Double>, stride: Int,
                      under units: Intervention<Scalar>? = nil, _ g: UnsafeMutablePointer<Double>,
                      ofUnits: (_ site: Int, _ width: Int, UnsafePointer<Scalar>) -> Void = { _, _, _ in }) throws(EngineError) {
        let width = mechanism.headWidth, inputs = mechanism.code.width, count = rows.count
        // A row without a gradient reads nothing: its parents may be missing.
        let isIdle = incoming.map { $0 == 0 }
        guard let network = mechanism.model, isIdle.contains(false) else { return }
        let values = MatrixView(values + rows.lowerBound * columns, rows: count, columns: columns)
        try withScratch(count * (2 * inputs + 2 * width), Scalar.self) { memory throws(EngineError) in
            let codes = memory, codeGradients = codes + count * inputs, heads = codeGradients + count * inputs, headGradients = heads + count * width
            try mechanism.encode(values, isIgnored: isIdle, into: codes)
            let trace = try network.makeTrace(), parameters = mechanism.parameters[member]
            try network.forward(MatrixView(codes, rows: count, columns: inputs), under: units, parameters: parameters, trace,
                                into: MutableMatrixView(heads, rows: count, columns: width))
            try withScratch(2 * count * width, Double.self) { wide throws(EngineError) in
                let slopes = wide + count * width, law = mechanism.law, scale = mechanism.scale.scale
                Scalar.widen(heads, into: wide, count: count * width)
                slopes.update(repeating: 0, count: count * width)
                for i in 0..<count where !isIdle[i] {
                    law.generateGradient(wide + i * width, noise + i * stride, incoming[i] * scale, into: slopes + i * width)
                }
                Scalar.narrow(slopes, into: headGradients, count: count * width)
            }
            var ofValues = [Storage<Scalar>?](repeating: nil, count: units == nil ? 0 : network.plan.siteWidths.count)
            for edit in units?.edits ?? [] { ofValues[edit.site] = try Storage(count: count * edit.columns, of: "gradient of units") }
            try network.backward(MatrixView(headGradients, rows: count, columns: width), parameters: parameters, trace,
                                 into: GradientTargets(parameters: nil, inputs: codeGradients, values: ofValues.map { $0?.pointer }))
            for (site, gradients) in ofValues.enumerated() {
                if let gradients { ofUnits(site, network.plan.siteWidths[site], UnsafePointer(gradients.pointer)) }
            }
            try withScratch(count * inputs, Double.self) { wide throws(EngineError) in
                Scalar.widen(codeGradients, into: wide, count: count * inputs)
                let code = mechanism.code, columns = columns
                for i in 0..<count where !isIdle[i] { code.addGradient(wide + i * inputs, to: g + i * columns) }
            }
        }
    }
}
