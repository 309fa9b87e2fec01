internal import CausalKernels

/// Numbers of some rows, one column after the other: row i of column k is `self[k][i]`. What belongs together lies together, and rows are the lanes
/// of the processor.
///
/// What lies between the rows and the stride belongs to nobody; kernels may work on it.
struct Columns<Element: BitwiseCopyable> {
    let pointer: UnsafeMutablePointer<Element>
    let rows: Int
    let stride: Int

    /// In memory of `size(columns, rows: rows)` elements at least.
    init(_ pointer: UnsafeMutablePointer<Element>, rows: Int) {
        self.init(pointer, rows: rows, stride: Columns.stride(rows))
    }

    private init(_ pointer: UnsafeMutablePointer<Element>, rows: Int, stride: Int) {
        self.pointer = pointer
        self.rows = rows
        self.stride = stride
    }

    static func size(_ columns: Int, rows: Int) throws(EngineError) -> Int { try checkedSize(columns, stride(rows), of: "columns of \(rows) rows") }

    subscript(column: Int) -> UnsafeMutablePointer<Element> { pointer + column * stride }

    /// The same without the columns before one.
    func from(_ column: Int) -> Columns { Columns(self[column], rows: rows, stride: stride) }

    /// Rows as kernels take them: filled up to whole blocks.
    var wholeRows: Int { Columns.whole(rows) }
    static func whole(_ rows: Int) -> Int { (rows + block - 1) / block * block }

    /// A multiple of the `columnBlock` of every set of kernels.
    private static var block: Int { 32 }
    /// Not a power of two, which would send all columns to a few sets of the cache.
    private static func stride(_ rows: Int) -> Int { whole(rows) + 16 }

    /// Takes over rows of a table from `first` on.
    func read(_ table: MatrixView<Element>, from first: Int) where Element: EngineScalar {
        guard table.columns > 1 else { return pointer.update(from: table.pointer + first, count: table.columns * rows) }
        // A few rows at a time, which stay in the cache while the columns go by.
        let width = table.columns
        for start in Swift.stride(from: 0, to: rows, by: 64) {
            for k in 0..<width {
                let column = self[k] + start, values = table.pointer + (first + start) * width + k
                for i in 0..<min(64, rows - start) { column[i] = values[i * width] }
            }
        }
    }

    /// Writes the rows of a table from `first` on.
    func write(to table: MutableMatrixView<Element>, from first: Int) where Element: EngineScalar {
        guard table.columns > 1 else { return (table.pointer + first).update(from: pointer, count: table.columns * rows) }
        for i in 0..<rows {
            let row = table.pointer + (first + i) * table.columns
            for k in 0..<table.columns { row[k] = pointer[k * stride + i] }
        }
    }

    /// Fills some columns up with zeros.
    func fillUp(_ columns: Int) where Element: EngineScalar {
        guard rows < wholeRows else { return }
        for k in 0..<columns {
            for i in rows..<wholeRows { self[k][i] = 0 }
        }
    }
}

extension Columns where Element: EngineScalar {
    /// Zeros in some rows of some columns.
    func clear(_ columns: Int, where isCleared: UnsafeMutableBufferPointer<Bool>) {
        for k in 0..<columns {
            let column = self[k]
            for i in 0..<rows where isCleared[i] { column[i] = 0 }
        }
    }
}

/// Runs `body` on memory for so many columns, which are not set.
func withColumns<Element: BitwiseCopyable, Result>(_ columns: Int, rows: Int, _: Element.Type,
                                                   _ body: (Columns<Element>) throws(EngineError) -> Result) throws(EngineError) -> Result {
    try withScratch(Columns<Element>.size(columns, rows: rows), Element.self) { memory throws(EngineError) in try body(Columns(memory, rows: rows)) }
}
