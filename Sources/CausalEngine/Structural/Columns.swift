internal import CausalKernels

/// Numbers of some rows, one variable after the other: row i of column k is `self[k][i]`. A scenario is computed so, variable by variable: what belongs
/// together lies together, and rows are the lanes of the processor.
///
/// What lies between the rows and the stride belongs to nobody; kernels may work on it.
struct Columns<Element: BitwiseCopyable> {
    let pointer: UnsafeMutablePointer<Element>
    let rows: Int
    let stride: Int

    subscript(column: Int) -> UnsafeMutablePointer<Element> { pointer + column * stride }

    /// The same without the columns before one.
    func from(_ column: Int) -> Columns { Columns(pointer: self[column], rows: rows, stride: stride) }

    /// Rows as kernels take them: filled up to whole blocks.
    var wholeRows: Int { Columns.whole(rows) }

    fileprivate static func whole(_ rows: Int) -> Int { (rows + 31) / 32 * 32 }
    /// Not a power of two, which would send all columns to a few sets of the cache.
    fileprivate static func stride(_ rows: Int) -> Int { whole(rows) + 16 }

    fileprivate init(pointer: UnsafeMutablePointer<Element>, rows: Int, stride: Int) {
        self.pointer = pointer
        self.rows = rows
        self.stride = stride
    }
}

extension Columns<Double> {
    /// Takes over rows of a table from `first` on.
    func read(_ table: MatrixView<Double>, from first: Int) {
        for i in 0..<rows {
            let row = table.pointer + (first + i) * table.columns
            for k in 0..<table.columns { pointer[k * stride + i] = row[k] }
        }
    }

    /// Writes the rows of a table from `first` on.
    func write(to table: MutableMatrixView<Double>, from first: Int) {
        for i in 0..<rows {
            let row = table.pointer + (first + i) * table.columns
            for k in 0..<table.columns { row[k] = pointer[k * stride + i] }
        }
    }
}

/// Runs `body` on memory for so many columns, which are not set.
func withColumns<Element: BitwiseCopyable, Result>(_ columns: Int, rows: Int, _: Element.Type,
                                                   _ body: (Columns<Element>) throws(EngineError) -> Result) throws(EngineError) -> Result {
    let stride = Columns<Element>.stride(rows)
    return try withScratch(columns * stride, Element.self) { memory throws(EngineError) in
        try body(Columns(pointer: memory, rows: rows, stride: stride))
    }
}
