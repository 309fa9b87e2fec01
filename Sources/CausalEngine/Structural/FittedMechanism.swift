internal import CausalKernels

/// A mechanism with its numbers, for every member of an ensemble. Inside it, real variables are standardised.
struct FittedMechanism<Scalar: EngineScalar>: @unchecked Sendable {
    let variable: Variable
    let law: NoiseLaw
    let scale: Standardisation
    var code: ParentCode
    /// From the code of the parents to the head; nil for a root, whose noise is its standardised value, and for a formula.
    let model: Model<Scalar>?
    var formula: (parents: [Int], Formula)?
    /// One a member.
    let parameters: [Parameters<Scalar>]
    /// For each member the noise in the rows that were kept, NaN where it is not known; empty where the law tells how it is distributed.
    var residuals: [Storage<Double>] = []

    var isRoot: Bool { model == nil && formula == nil }
    var headWidth: Int { isRoot ? 0 : law.headWidth }
    /// A root's noise is its value, whatever kind it is of.
    var noiseWidth: Int { isRoot ? 1 : law.noiseWidth }
    var isInvertible: Bool { isRoot || law.isInvertible }
    /// Of the noise; nil where it is that of the rows seen.
    var distribution: NoiseLaw.Distribution? { isRoot ? nil : law.distribution }

    func generate(_ head: UnsafePointer<Double>, _ noise: UnsafePointer<Double>) -> Double {
        scale.original(isRoot ? noise[0] : law.generate(head, noise))
    }

    func abduct(_ head: UnsafePointer<Double>, _ value: Double) -> Double {
        isRoot ? scale.standard(value) : law.abduct(head, scale.standard(value))
    }

    /// The heads of some rows (rows, headWidth), from the values of all variables in these rows. In a row that `isIgnored` the parents are
    /// not looked at: they may be NaN. `units` sets hidden units of the network.
    func heads(_ values: MatrixView<Double>, member: Int, isIgnored: [Bool]? = nil, under units: Intervention<Scalar>? = nil,
               into heads: UnsafeMutablePointer<Double>) throws(EngineError) {
        if let formula { return try formulaHeads(formula, values, isIgnored, into: heads) }
        guard let model else { return }
        let count = values.rows, outputs = count * headWidth
        try withScratch(count * code.width + outputs, Scalar.self) { memory throws(EngineError) in
            let codes = memory + outputs
            try encode(values, isIgnored: isIgnored, into: codes)
            try model.predict(MatrixView(codes, rows: count, columns: code.width), under: units, parameters: parameters[member],
                              into: MutableMatrixView(memory, rows: count, columns: headWidth))
            Scalar.widen(memory, into: heads, count: outputs)
        }
    }

    private func formulaHeads(_ formula: (parents: [Int], Formula), _ values: MatrixView<Double>, _ isIgnored: [Bool]?,
                       into heads: UnsafeMutablePointer<Double>) throws(EngineError) {
        let computation = CompiledScenario.Computation(reads: formula.parents, function: formula.1.function)
        let results = try computation.evaluate(values.pointer, rows: values.rows, columns: values.columns)
        for row in 0..<values.rows {
            heads[row] = isIgnored?[row] ?? false ? 0 : scale.standard(results[row])
            // What is missing gives what it gives; a formula that fails where all is known is a mistake.
            let isKnown = formula.parents.allSatisfy { values.pointer[row * values.columns + $0].isFinite }
            guard heads[row].isFinite || !isKnown || isIgnored?[row] ?? false else {
                throw EngineError(.value, "mechanism of \(variable.name): the formula gives \(results[row]), expected a finite number")
            }
        }
    }

    func encode(_ values: MatrixView<Double>, isIgnored: [Bool]?, into codes: UnsafeMutablePointer<Scalar>) throws(EngineError) {
        let width = code.width
        try withScratch(values.rows * width, Double.self) { wide throws(EngineError) in
            for row in 0..<values.rows {
                if isIgnored?[row] ?? false {
                    (wide + row * width).update(repeating: 0, count: width)
                } else {
                    code.encode(values.pointer + row * values.columns, into: wide + row * width)
                }
            }
            Scalar.narrow(wide, into: codes, count: values.rows * width)
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
