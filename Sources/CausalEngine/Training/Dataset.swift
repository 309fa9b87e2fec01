public import CausalKernels
internal import Glibc

/// Rows to learn from: row i of y is what was seen where row i of x was, under row i of the intervention.
public struct Dataset<Scalar: EngineScalar> {
    package let x: MatrixView<Scalar>
    package let y: MatrixView<Scalar>
    package let intervention: Intervention<Scalar>?
    /// The numbers of the rows to learn from; nil for all of them.
    package private(set) var selection: [Int]?
    /// Which rows are counterfactuals of which; of a selection that is not known.
    private(set) var twins: Twins?
    /// What keeps x and y where they are.
    private let owned: [Storage<Scalar>]

    /// How many rows are learned from.
    package var rows: Int { selection?.count ?? x.rows }

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
    package init(owning x: Storage<Scalar>, columns xColumns: Int, _ y: Storage<Scalar>, columns yColumns: Int,
                 intervention: Intervention<Scalar>? = nil, twins: Twins? = nil) {
        self.x = MatrixView(x.pointer, rows: x.count / max(xColumns, 1), columns: xColumns)
        self.y = MatrixView(y.pointer, rows: y.count / max(yColumns, 1), columns: yColumns)
        self.intervention = intervention
        self.twins = twins
        owned = [x, y]
    }

    /// Somebody else's rows, which stay where they are for as long as this is used.
    package init(borrowing x: MatrixView<Scalar>, _ y: MatrixView<Scalar>, intervention: Intervention<Scalar>?) {
        self.x = x
        self.y = y
        self.intervention = intervention
        owned = []
    }

    /// These of its rows, by their numbers and in this order; one may be there more than once. Nothing is copied, so that many models can learn
    /// each from rows of its own, as in the bootstrap.
    ///
    /// - Throws: `.value` for a row that there is not.
    public func selecting(_ numbers: [Int]) throws(EngineError) -> Dataset {
        for (k, number) in numbers.enumerated() where number < 0 || number >= rows {
            throw EngineError(.value, "selection[\(k)] is \(number), expected the number of one of \(rows) rows")
        }
        var some = self
        some.twins = nil
        some.selection = selection.map { before in numbers.map { before[$0] } } ?? numbers
        return some
    }

    /// A copy of the rows that are selected, if not all are.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    func gathered() throws(EngineError) -> Dataset {
        guard let selection else { return self }
        func gather<T>(_ source: UnsafePointer<T>, _ columns: Int) throws(EngineError) -> Storage<T> {
            let rows = try Storage<T>(count: checkedSize(selection.count, columns, of: "rows"), of: "rows")
            selection.withUnsafeBufferPointer { copyRows($0, of: source, columns, into: rows.pointer) }
            return rows
        }
        var some = Intervention<Scalar>()
        for edit in intervention?.edits ?? [] {
            some = some.setting(Intervention.Edit(
                site: edit.site, columns: edit.columns,
                mask: edit.maskRows == 1 ? edit.mask : try gather(edit.mask.pointer, edit.columns),
                maskRows: edit.maskRows == 1 ? 1 : selection.count,
                values: edit.valueRows == 1 ? edit.values : try gather(edit.values.pointer, edit.columns),
                valueRows: edit.valueRows == 1 ? 1 : selection.count))
        }
        return Dataset(owning: try gather(x.pointer, x.columns), columns: x.columns, try gather(y.pointer, y.columns), columns: y.columns,
                       intervention: some)
    }

    /// Checks that the rows fit a model and a loss, and that every number that the model would learn from is finite.
    ///
    /// - Throws: `.shape` where sizes do not fit; `.value` for a number that is not finite, naming row and column.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    func check(_ model: Model<Scalar>, _ parameters: Parameters<Scalar>, _ loss: Loss, _ name: String) throws(EngineError) {
        guard rows > 0 else { throw EngineError(.shape, "\(name): no rows, expected at least one") }
        guard x.columns == model.plan.inputWidth else {
            throw EngineError(.shape, "\(name): x of shape \(x.shape), expected (rows, \(model.plan.inputWidth))")
        }
        guard y.rows == x.rows else { throw EngineError(.shape, "\(name): x of shape \(x.shape) and y of shape \(y.shape) differ in rows") }
        try intervention?.check(siteWidths: model.plan.siteWidths, rows: x.rows)
        let here = try gathered(), number = { (row: Int) in selection.map { $0[row] } ?? row }
        try here.checkValues(name, number)
        try here.checkInputs(model.plan, name, number)
        try here.checkTargets(model, loss, name, number)
        try here.tryLoss(model, parameters, loss)
    }

    private func checkValues(_ name: String, _ number: (Int) -> Int) throws(EngineError) {
        for edit in intervention?.edits ?? [] where Scalar.kernels.firstNonFinite(edit.values.pointer, count: edit.values.count) < edit.values.count {
            let mask = edit.maskRows == 1 ? 0 : edit.columns, value = edit.valueRows == 1 ? 0 : edit.columns
            for row in 0..<max(edit.maskRows, edit.valueRows) {
                for j in 0..<edit.columns where edit.mask.pointer[row * mask + j] != 0 && !edit.values.pointer[row * value + j].isFinite {
                    throw EngineError(.value, "\(name): the intervention at site \(edit.site) sets row \(number(row)), column \(j) to "
                        + "\(edit.values.pointer[row * value + j]), expected a finite number")
                }
            }
        }
    }

    /// A number in x may be missing where do() keeps the network from seeing it: at the input, or since everything computed from it
    /// is set.
    private func checkInputs(_ plan: Plan, _ name: String, _ number: (Int) -> Int) throws(EngineError) {
        var next = 0
        var reach: [UInt8] = [], rowOfReach: Int?
        while true {
            next += Scalar.kernels.firstNonFinite(x.pointer + next, count: x.count - next)
            guard next < x.count else { return }
            let row = next / x.columns, column = next % x.columns
            if rowOfReach.map({ !hasSameMasks($0, row) }) ?? true { reach = plan.reach(under: masks(plan, row)) }
            rowOfReach = row
            guard reach[column] == 0 else {
                throw EngineError(.value, "\(name): x is \(x.pointer[next]) in row \(number(row)), column \(column), expected a finite number "
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

    private func checkTargets(_ model: Model<Scalar>, _ loss: Loss, _ name: String, _ number: (Int) -> Int) throws(EngineError) {
        let mask = loss.ignoresIntervened ? outputMask(model) : nil
        var next = 0
        while true {
            next += Scalar.kernels.firstNonFinite(y.pointer + next, count: y.count - next)
            guard next < y.count else { return }
            let row = next / y.columns, column = next % y.columns
            let isIgnored = mask.map { $0.columns == y.columns && $0.pointer[($0.rows == 1 ? 0 : row) * $0.columns + column] != 0 } ?? false
            guard isIgnored else {
                throw EngineError(.value, "\(name): y is \(y.pointer[next]) in row \(number(row)), column \(column), expected a finite number")
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
        arguments.twins = twins.map { UnsafePointer($0.factual.pointer) }
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
