internal import CausalKernels

/// A mechanism with its numbers, for every member of an ensemble. Inside it, real variables are standardised.
struct FittedMechanism<Scalar: EngineScalar>: @unchecked Sendable {
    let variable: Variable
    let law: NoiseLaw
    let scale: Standardisation
    var code: ParentCode
    /// From the code of the parents to the head; nil for a root, whose noise is its standardised value, and for a formula.
    let model: Model<Scalar>?
    /// The same as it runs on columns.
    let network: ColumnNetwork?
    var formula: (parents: [Int], Formula)?
    /// One a member.
    let parameters: [Parameters<Scalar>]
    /// For each member the noise in the rows that were kept, NaN where it is not known; empty where the law tells how it is distributed.
    var residuals: [Storage<Double>]

    var isRoot: Bool { model == nil && formula == nil }
    var headWidth: Int { isRoot ? 0 : law.headWidth }
    /// A root's noise is its value, whatever kind it is of.
    var noiseWidth: Int { isRoot ? 1 : law.noiseWidth }
    var isInvertible: Bool { isRoot || law.isInvertible }
    /// Of the noise; nil where it is that of the rows seen.
    var distribution: NoiseLaw.Distribution? { isRoot ? nil : law.distribution }

    init(variable: Variable, law: NoiseLaw, scale: Standardisation, code: ParentCode, model: Model<Scalar>?, formula: (parents: [Int], Formula)? = nil,
         parameters: [Parameters<Scalar>], residuals: [Storage<Double>] = []) {
        self.variable = variable
        self.law = law
        self.scale = scale
        self.code = code
        self.model = model
        network = model.map { $0.plan.columns! }     // every mechanism is an MLP
        self.formula = formula
        self.parameters = parameters
        self.residuals = residuals
    }

    /// The heads of some rows from the values of all variables in these. In a row that `isIgnored` the parents are not looked at: they may be NaN.
    func heads(_ values: Columns<Double>, member: Int, isIgnored: [Bool]? = nil, under intervention: Intervention<Scalar> = Intervention(),
               into heads: Columns<Double>) throws(EngineError) {
        if let formula { return try formulaHeads(formula, values, isIgnored, into: heads[0]) }
        guard let network else { return }
        try withColumns(code.width + headWidth, rows: values.rows, Scalar.self) { codes throws(EngineError) in
            let narrow = codes.from(code.width)
            code.encode(values, isIgnored: isIgnored, into: codes)
            try withColumns(network.traceColumns, rows: values.rows, Scalar.self) { trace throws(EngineError) in
                withExtendedLifetime(intervention) {
                    network.forward(codes, parameters[member].pointer, setting: intervention.bySite, network.trace(in: trace), into: narrow)
                }
            }
            for k in 0..<headWidth { Scalar.widen(narrow[k], into: heads[k], count: values.rows) }
        }
    }

    private func formulaHeads(_ formula: (parents: [Int], Formula), _ values: Columns<Double>, _ isIgnored: [Bool]?,
                              into heads: UnsafeMutablePointer<Double>) throws(EngineError) {
        let results = try CompiledScenario.Computation(reads: formula.parents, function: formula.1.function).evaluate(values)
        for row in 0..<values.rows {
            heads[row] = isIgnored?[row] ?? false ? 0 : scale.standard(results[row])
            // What is missing gives what it gives; a formula that fails where all is known is a mistake.
            let isKnown = formula.parents.allSatisfy { values[$0][row].isFinite }
            guard heads[row].isFinite || !isKnown || isIgnored?[row] ?? false else {
                throw EngineError(.value, "mechanism of \(variable.name): the formula gives \(results[row]), expected a finite number")
            }
        }
    }

    /// The values that heads and noise make.
    func generate(_ heads: Columns<Double>, _ noise: Columns<Double>, into values: UnsafeMutablePointer<Double>) {
        if isRoot {
            for i in 0..<noise.rows { values[i] = scale.original(noise[0][i]) }
        } else if law == .additive {
            let head = heads[0], noise = noise[0]
            for i in 0..<heads.rows { values[i] = scale.original(head[i] + noise[i]) }
        } else {
            forEachRow(heads, noise) { i, head, noise in values[i] = scale.original(law.generate(head, noise)) }
        }
    }

    /// The chain rule through `generate`: from the gradient of the values to that of the heads, 0 in a row without one.
    func generateGradient(_ heads: Columns<Double>, _ noise: Columns<Double>, _ gradient: UnsafePointer<Double>, into slopes: Columns<Double>) {
        if law == .additive {
            for i in 0..<heads.rows { slopes[0][i] = gradient[i] * scale.scale }
        } else {
            withUnsafeTemporaryAllocation(of: Double.self, capacity: headWidth) { slope in
                let slope = slope.baseAddress!
                forEachRow(heads, noise) { i, head, noise in
                    slope.update(repeating: 0, count: headWidth)
                    if gradient[i] != 0 { law.generateGradient(head, noise, gradient[i] * scale.scale, into: slope) }
                    for k in 0..<headWidth { slopes[k][i] = slope[k] }
                }
            }
        }
    }

    /// One row after the other, as a law of several numbers takes them.
    private func forEachRow(_ heads: Columns<Double>, _ noise: Columns<Double>,
                            _ body: (_ i: Int, _ head: UnsafePointer<Double>, _ noise: UnsafePointer<Double>) -> Void) {
        withUnsafeTemporaryAllocation(of: Double.self, capacity: headWidth + noiseWidth) { row in
            let row = row.baseAddress!
            for i in 0..<heads.rows {
                for k in 0..<headWidth { row[k] = heads[k][i] }
                for k in 0..<noiseWidth { row[headWidth + k] = noise[k][i] }
                body(i, row, row + headWidth)
            }
        }
    }
}

/// Runs `body` on memory for some numbers, which are not set.
func withScratch<Element: BitwiseCopyable, Result>(_ count: Int, _: Element.Type, _ body: (UnsafeMutablePointer<Element>) throws(EngineError) -> Result)
    throws(EngineError) -> Result {
    let memory = UnsafeMutablePointer<Element>.allocate(capacity: max(count, 1))
    defer { memory.deallocate() }
    return try body(memory)
}
