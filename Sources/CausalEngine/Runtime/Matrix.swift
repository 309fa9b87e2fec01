public import CausalKernels

/// Numbers in rows and columns, row-major: one row a sample, one column a feature.
///
/// ```swift
/// let x: Matrix<Double> = [[1, 2, 3], [4, 5, 6]]
/// x[1, 2]   // 6
/// ```
public struct Matrix<Scalar: EngineScalar>: Hashable, Sendable, ExpressibleByArrayLiteral, CustomStringConvertible {
    public let rows: Int
    public let columns: Int
    /// All elements, one row after the other.
    public private(set) var elements: [Scalar]

    /// - Throws: `.shape` when `elements` are not rows times columns in number.
    public init(rows: Int, columns: Int, _ elements: [Scalar]) throws(EngineError) {
        let count = try checkedSize(rows, columns, of: "matrix")
        guard elements.count == count else {
            throw EngineError(.shape, "matrix: \(elements.count) elements given, expected \(rows) x \(columns) = \(count)")
        }
        self.rows = rows
        self.columns = columns
        self.elements = elements
    }

    /// - Throws: `.shape` when the rows differ in length.
    public init(_ rows: [[Scalar]]) throws(EngineError) {
        let columns = rows.first?.count ?? 0
        for (i, row) in rows.enumerated() where row.count != columns {
            throw EngineError(.shape, "matrix: row \(i) has \(row.count) columns, expected \(columns) as in row 0")
        }
        self.rows = rows.count
        self.columns = columns
        self.elements = rows.flatMap { $0 }
    }

    /// Every element the same.
    public init(rows: Int, columns: Int, repeating value: Scalar) throws(EngineError) {
        let count = try checkedSize(rows, columns, of: "matrix")
        self.rows = rows
        self.columns = columns
        self.elements = [Scalar](repeating: value, count: count)
    }

    /// A literal; its rows must be of equal length.
    public init(arrayLiteral rows: [Scalar]...) {
        precondition(rows.allSatisfy { $0.count == rows[0].count }, "a matrix literal's rows must be of equal length")
        self.rows = rows.count
        self.columns = rows.first?.count ?? 0
        self.elements = rows.flatMap { $0 }
    }

    public subscript(row: Int, column: Int) -> Scalar {
        get {
            precondition(column >= 0 && column < columns, "column \(column) of a matrix with \(columns)")
            return elements[row * columns + column]
        }
        set {
            precondition(column >= 0 && column < columns, "column \(column) of a matrix with \(columns)")
            elements[row * columns + column] = newValue
        }
    }

    public var description: String {
        (0..<rows).map { i in elements[i * columns..<(i + 1) * columns].map { "\($0)" }.joined(separator: " ") }.joined(separator: "\n")
    }

    /// Runs `body` on the elements in place.
    package borrowing func withView<Result>(_ body: (MatrixView<Scalar>) throws(EngineError) -> Result) throws(EngineError) -> Result {
        let rows = rows, columns = columns
        return try elements.withUnsafeBufferPointer { buffer throws(EngineError) in
            try body(MatrixView(buffer.baseAddress ?? emptyAddress(), rows: rows, columns: columns))
        }
    }

    /// Runs `body` on the elements, which it may change.
    package mutating func withMutableView<Result>(
        _ body: (MutableMatrixView<Scalar>) throws(EngineError) -> Result
    ) throws(EngineError) -> Result {
        let rows = rows, columns = columns
        return try elements.withUnsafeMutableBufferPointer { buffer throws(EngineError) in
            try body(MutableMatrixView(buffer.baseAddress ?? emptyAddress(), rows: rows, columns: columns))
        }
    }
}

/// Where nothing is, for views without elements.
package func emptyAddress<T>() -> UnsafePointer<T> { UnsafePointer(emptyAddress() as UnsafeMutablePointer<T>) }
package func emptyAddress<T>() -> UnsafeMutablePointer<T> {
    UnsafeMutableRawPointer(bitPattern: 64)!.assumingMemoryBound(to: T.self)
}

/// Somebody else's matrix, valid during a call.
package struct MatrixView<Element> {
    package let pointer: UnsafePointer<Element>
    package let rows: Int
    package let columns: Int

    package init(_ pointer: UnsafePointer<Element>, rows: Int, columns: Int) {
        self.pointer = pointer
        self.rows = rows
        self.columns = columns
    }

    package var count: Int { rows * columns }
    package var shape: String { "(\(rows), \(columns))" }

    /// `count` rows from row `first` on.
    package func rows(from first: Int, count: Int) -> MatrixView { MatrixView(pointer + first * columns, rows: count, columns: columns) }
}

/// Somebody else's matrix, to write to during a call.
package struct MutableMatrixView<Element> {
    package let pointer: UnsafeMutablePointer<Element>
    package let rows: Int
    package let columns: Int

    package init(_ pointer: UnsafeMutablePointer<Element>, rows: Int, columns: Int) {
        self.pointer = pointer
        self.rows = rows
        self.columns = columns
    }

    package var count: Int { rows * columns }
    package var shape: String { "(\(rows), \(columns))" }

    package func rows(from first: Int, count: Int) -> MutableMatrixView {
        MutableMatrixView(pointer + first * columns, rows: count, columns: columns)
    }
}
