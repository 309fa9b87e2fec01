internal import CausalKernels

/// Mini-batches of a dataset: rows of x and y, and of every mask and value that belongs to rows, gathered in shuffled order, or where they lie.
///
/// Rows of one unit are never parted: a batch that would end among them goes on to the last of them.
///
/// What do() sets at the input is set while x is gathered: there it is the same as editing x.
final class Batches<Scalar: EngineScalar> {
    private let data: Dataset<Scalar>
    let size: Int
    /// The most rows of a batch.
    let capacity: Int
    /// Empty where the rows are taken as they lie.
    private var order: [Int]
    /// Where rows are twins.
    private var units: UnitOrder?
    private let x: Storage<Scalar>
    private let y: Storage<Scalar>
    /// Of the interventions beyond the input.
    private var sites: [Site] = []
    private let inputEdit: SiteEdit<Scalar>?
    private let outputSite: Int?
    /// Whether batches are rows that lie one after the other, so that nothing has to be gathered.
    private let isInOrder: Bool

    private struct Site {
        let edit: Intervention<Scalar>.Edit
        /// Nil where one row is shared.
        let mask: Storage<UInt8>?
        let values: Storage<Scalar>?
    }

    /// One batch, valid until the next is gathered.
    struct Batch {
        let x: MatrixView<Scalar>
        let y: MatrixView<Scalar>
        let outputMask: MatrixView<UInt8>?
        let outputValues: MatrixView<Scalar>?
        /// By row, the place of its factual row; -1 where it is no counterfactual.
        let twins: UnsafePointer<Int>?
    }

    init(_ data: Dataset<Scalar>, size: Int, shuffles: Bool, _ plan: Plan) throws(EngineError) {
        self.data = data
        self.size = min(size, data.rows)
        capacity = min(self.size + max(data.twins?.largestUnit ?? 0, 1) - 1, data.rows)
        outputSite = plan.outputSite
        isInOrder = data.selection == nil && (self.size == data.rows || !shuffles && data.twins == nil)
        order = isInOrder ? [] : data.selection ?? Array(0..<data.rows)
        let edits = data.intervention?.edits ?? []
        let inputEdit = edits.first { $0.site == plan.inputSite }
        self.inputEdit = inputEdit.map { SiteEdit($0) }
        x = try Storage(count: isInOrder && inputEdit == nil ? 0 : checkedSize(capacity, data.x.columns, of: "batch"), of: "batch")
        y = try Storage(count: isInOrder ? 0 : checkedSize(capacity, data.y.columns, of: "batch"), of: "batch")
        if let twins = data.twins, !isInOrder { units = try UnitOrder(twins, capacity: capacity, order: &order) }
        for edit in edits where edit.site != inputEdit?.site {
            sites.append(Site(
                edit: edit,
                mask: edit.maskRows == 1 || isInOrder ? nil : try Storage(count: capacity * edit.columns, of: "batch"),
                values: edit.valueRows == 1 || isInOrder ? nil : try Storage(count: capacity * edit.columns, of: "batch")))
        }
    }

    var rows: Int { data.rows }

    /// A new order of the rows. With all rows in one batch the order does not matter.
    func shuffle(seed: UInt64, epoch: Int) {
        guard size < rows else { return }
        var random = Random(seed: seed, purpose: .shuffling, index: epoch)
        guard units == nil else {
            units!.shuffle(&random, &order)
            return
        }
        if let selection = data.selection {
            for i in order.indices { order[i] = selection[i] }
        } else {
            for i in order.indices { order[i] = i }
        }
        random.shuffle(&order)
    }

    /// The batch that begins at place `first` of the order; its interventions go to `edits`, by site.
    func gather(from first: Int, edits: inout [SiteEdit<Scalar>?]) -> Batch {
        let last = min(first + size, rows), count = (units?.end(of: last) ?? last) - first
        for i in edits.indices { edits[i] = nil }
        var outputMask: MatrixView<UInt8>?, outputValues: MatrixView<Scalar>?
        for site in sites {
            let edit = site.edit, columns = edit.columns
            var here = SiteEdit(edit, from: isInOrder ? first : 0)
            if let mask = site.mask {
                gather(edit.mask.pointer, columns, first, count, into: mask.pointer)
                here.mask = UnsafePointer(mask.pointer)
            }
            if let values = site.values {
                gather(edit.values.pointer, columns, first, count, into: values.pointer)
                here.values = UnsafePointer(values.pointer)
            }
            edits[edit.site] = here
            if edit.site == outputSite {
                outputMask = MatrixView(here.mask, rows: edit.maskRows == 1 ? 1 : count, columns: columns)
                outputValues = MatrixView(here.values, rows: edit.valueRows == 1 ? 1 : count, columns: columns)
            }
        }
        if let inputEdit {
            setInputs(inputEdit, first, count)
        } else if !isInOrder {
            gather(data.x.pointer, data.x.columns, first, count, into: x.pointer)
        }
        if !isInOrder { gather(data.y.pointer, data.y.columns, first, count, into: y.pointer) }
        func view(_ matrix: MatrixView<Scalar>, _ gathered: Storage<Scalar>?) -> MatrixView<Scalar> {
            MatrixView(gathered.map { UnsafePointer($0.pointer) } ?? matrix.pointer + first * matrix.columns, rows: count, columns: matrix.columns)
        }
        return Batch(x: view(data.x, isInOrder && inputEdit == nil ? nil : x), y: view(data.y, isInOrder ? nil : y),
                     outputMask: outputMask, outputValues: outputValues,
                     twins: units?.partners(order, first..<first + count) ?? data.twins.map { UnsafePointer($0.factual.pointer) })
    }

    /// Gathers x under do().
    private func setInputs(_ edit: SiteEdit<Scalar>, _ first: Int, _ count: Int) {
        let columns = data.x.columns
        guard !isInOrder else {
            return Scalar.kernels.select(data.x.pointer + first * columns, mask: edit.mask + first * edit.maskStride, maskStride: edit.maskStride,
                                         values: edit.values + first * edit.valueStride, valueStride: edit.valueStride, into: x.pointer,
                                         rows: count, columns: columns)
        }
        order.withUnsafeBufferPointer { order in
            for i in 0..<count {
                let row = order[first + i], place = x.pointer + i * columns, own = data.x.pointer + row * columns
                let mask = edit.mask + row * edit.maskStride, values = edit.values + row * edit.valueStride
                for j in 0..<columns {
                    // Both are loaded, so that the choice is one instruction.
                    let given = values[j], seen = own[j]
                    place[j] = mask[j] != 0 ? given : seen
                }
            }
        }
    }

    private func gather<T>(_ source: UnsafePointer<T>, _ columns: Int, _ first: Int, _ count: Int, into target: UnsafeMutablePointer<T>) {
        order.withUnsafeBufferPointer { copyRows(UnsafeBufferPointer(rebasing: $0[first..<first + count]), of: source, columns, into: target) }
    }
}

/// Copies rows of a matrix, by their numbers, one after the other.
@inline(__always)
func copyRows<T>(_ numbers: UnsafeBufferPointer<Int>, of source: UnsafePointer<T>, _ columns: Int, into target: UnsafeMutablePointer<T>) {
    for i in 0..<numbers.count {
        let row = source + numbers[i] * columns, place = target + i * columns
        // A few elements are copied before a call of memmove has begun.
        if columns < 8 {
            for j in 0..<columns { place[j] = row[j] }
        } else {
            place.update(from: row, count: columns)
        }
    }
}
