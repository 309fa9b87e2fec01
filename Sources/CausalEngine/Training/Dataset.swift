public import CausalKernels
internal import Glibc

/// Rows to learn from: row i of y is what was seen where row i of x was, under row i of the intervention.
public struct Dataset<Scalar: EngineScalar> {
    package let x: MatrixView<Scalar>
    package let y: MatrixView<Scalar>
    package let intervention: Intervention<Scalar>?
    /// What keeps x and y where they are.
    private let owned: [Storage<Scalar>]

    /// - Parameters:
    ///   - x: (n, inputs).
    ///   - y: (n, outputs), or (n, 1) class indices for cross-entropy.
    ///   - intervention: with one row for all or one for each.
    public init(x: Matrix<Scalar>, y: Matrix<Scalar>, intervention: Intervention<Scalar>? = nil) throws(EngineError) {
        func keep(_ matrix: Matrix<Scalar>) throws(EngineError) -> Storage<Scalar> {
            try matrix.withView { view throws(EngineError) in
                try Storage(copying: UnsafeBufferPointer(start: view.pointer, count: view.count), of: "dataset")
            }
        }
        let storedX = try keep(x), storedY = try keep(y)
        self.x = MatrixView(storedX.pointer, rows: x.rows, columns: x.columns)
        self.y = MatrixView(storedY.pointer, rows: y.rows, columns: y.columns)
        self.intervention = intervention
        owned = [storedX, storedY]
    }

    /// Rows in memory that belongs to the engine.
    package init(owning x: Storage<Scalar>, columns xColumns: Int, _ y: Storage<Scalar>, columns yColumns: Int) {
        self.x = MatrixView(x.pointer, rows: x.count / max(xColumns, 1), columns: xColumns)
        self.y = MatrixView(y.pointer, rows: y.count / max(yColumns, 1), columns: yColumns)
        intervention = nil
        owned = [x, y]
    }

    /// Somebody else's rows, which stay where they are for as long as this is used.
    package init(borrowing x: MatrixView<Scalar>, _ y: MatrixView<Scalar>, intervention: Intervention<Scalar>?) {
        self.x = x
        self.y = y
        self.intervention = intervention
        owned = []
    }

    /// Checks that the rows fit a model and a loss, and that every number that the model would learn from is finite.
    ///
    /// - Throws: `.shape` where sizes do not fit; `.value` for a number that is not finite, naming row and column.
    func check(_ model: Model<Scalar>, _ parameters: Parameters<Scalar>, _ loss: Loss, _ name: String) throws(EngineError) {
        guard x.rows > 0 else { throw EngineError(.shape, "\(name): no rows, expected at least one") }
        guard x.columns == model.plan.inputWidth else {
            throw EngineError(.shape, "\(name): x of shape \(x.shape), expected (rows, \(model.plan.inputWidth))")
        }
        guard y.rows == x.rows else { throw EngineError(.shape, "\(name): x of shape \(x.shape) and y of shape \(y.shape) differ in rows") }
        try intervention?.check(siteWidths: model.plan.siteWidths, rows: x.rows)
        try checkValues(name)
        try checkInputs(model.plan, name)
        try checkTargets(model, loss, name)
        try tryLoss(model, parameters, loss)
    }

    private func checkValues(_ name: String) throws(EngineError) {
        for edit in intervention?.edits ?? [] {
            let mask = edit.maskRows == 1 ? 0 : edit.columns, value = edit.valueRows == 1 ? 0 : edit.columns
            for row in 0..<max(edit.maskRows, edit.valueRows) {
                for j in 0..<edit.columns where edit.mask.pointer[row * mask + j] != 0 && !edit.values.pointer[row * value + j].isFinite {
                    throw EngineError(.value, "\(name): the intervention at site \(edit.site) sets row \(row), column \(j) to "
                        + "\(edit.values.pointer[row * value + j]), expected a finite number")
                }
            }
        }
    }

    /// A number in x may be missing where do() keeps the network from seeing it: at the input, or since everything computed from it
    /// is set.
    private func checkInputs(_ plan: Plan, _ name: String) throws(EngineError) {
        var next = 0
        var reach: [UInt8] = [], rowOfReach: Int?
        while true {
            next += Scalar.kernels.firstNonFinite(x.pointer + next, count: x.count - next)
            guard next < x.count else { return }
            let row = next / x.columns, column = next % x.columns
            if rowOfReach.map({ !hasSameMasks($0, row) }) ?? true { reach = plan.reach(under: masks(plan, row)) }
            rowOfReach = row
            guard reach[column] == 0 else {
                throw EngineError(.value, "\(name): x is \(x.pointer[next]) in row \(row), column \(column), expected a finite number "
                    + "(a missing one is fine only where an intervention covers it)")
            }
            next += 1
        }
    }

    private func masks(_ plan: Plan, _ row: Int) -> [UnsafePointer<UInt8>?] {
        var masks = [UnsafePointer<UInt8>?](repeating: nil, count: plan.siteWidths.count)
        for edit in intervention?.edits ?? [] { masks[edit.site] = SiteEdit(edit, from: row).mask }
        return masks
    }

    /// Neighbouring rows mostly share their masks, and all rows do where one mask holds for all.
    private func hasSameMasks(_ a: Int, _ b: Int) -> Bool {
        a == b || (intervention?.edits ?? []).allSatisfy { edit in
            edit.maskRows == 1 || memcmp(edit.mask.pointer + a * edit.columns, edit.mask.pointer + b * edit.columns, edit.columns) == 0
        }
    }

    private func checkTargets(_ model: Model<Scalar>, _ loss: Loss, _ name: String) throws(EngineError) {
        let mask = loss.ignoresIntervened ? outputMask(model) : nil
        var next = 0
        while true {
            next += Scalar.kernels.firstNonFinite(y.pointer + next, count: y.count - next)
            guard next < y.count else { return }
            let row = next / y.columns, column = next % y.columns
            let isIgnored = mask.map { $0.columns == y.columns && $0.pointer[($0.rows == 1 ? 0 : row) * $0.columns + column] != 0 } ?? false
            guard isIgnored else {
                throw EngineError(.value, "\(name): y is \(y.pointer[next]) in row \(row), column \(column), expected a finite number")
            }
            next += 1
        }
    }

    /// Evaluates the loss on a made-up answer, so that what it objects to is said before anything is learned.
    private func tryLoss(_ model: Model<Scalar>, _ parameters: Parameters<Scalar>, _ loss: Loss) throws(EngineError) {
        let answer = try Storage<Scalar>(count: checkedSize(x.rows, model.plan.outputWidth, of: "predictions"), of: "predictions")
        var arguments = LossArguments(prediction: MatrixView(answer.pointer, rows: x.rows, columns: model.plan.outputWidth), target: y)
        arguments.inputs = x
        arguments.mask = outputMask(model)
        arguments.values = outputValues(model)
        arguments.parameters = UnsafePointer(parameters.pointer)
        arguments.layout = model.layout
        var scratch: [Scalar] = []
        _ = try loss.evaluate(arguments, into: LossGradientTargets(), scratch: &scratch)
    }

    /// The mask given for the network's output, which the loss sees.
    func outputMask(_ model: Model<Scalar>) -> MatrixView<UInt8>? {
        outputEdit(model).map { MatrixView($0.mask.pointer, rows: $0.maskRows, columns: $0.columns) }
    }

    func outputValues(_ model: Model<Scalar>) -> MatrixView<Scalar>? {
        outputEdit(model).map { MatrixView($0.values.pointer, rows: $0.valueRows, columns: $0.columns) }
    }

    private func outputEdit(_ model: Model<Scalar>) -> Intervention<Scalar>.Edit? {
        intervention?.edits.first { $0.site == model.plan.outputSite }
    }
}
