internal import CausalKernels

/// A regression, as it takes in one row after the other.
struct LeastSquares {
    private let columns: Int
    private(set) var rows = 0
    private var products: [Double]
    private var shared: [Double]
    private var squares = 0.0

    init(columns: Int) {
        self.columns = columns
        products = [Double](repeating: 0, count: columns * columns)
        shared = [Double](repeating: 0, count: columns)
    }

    mutating func add(_ y: Double, _ row: UnsafePointer<Double>) {
        rows += 1
        squares += y * y
        for i in 0..<columns {
            shared[i] += row[i] * y
            for j in 0...i { products[i * columns + j] += row[i] * row[j] }
        }
    }

    /// The sum of squares that is left.
    func unexplained() throws(EngineError) -> Double {
        var matrix = try Matrix<Double>(rows: columns, columns: columns, repeating: 0), right = try Matrix<Double>(rows: columns, columns: 1, repeating: 0)
        for i in 0..<columns {
            right[i, 0] = shared[i]
            for j in 0...i {
                matrix[i, j] = products[i * columns + j]
                matrix[j, i] = matrix[i, j]
            }
            // What does not vary here, such as a parent that was set to one value, has the weight 0.
            matrix[i, i] += 1e-6 * Double(rows)
        }
        let weights = try matrix.solve(right)
        var left = squares
        for i in 0..<columns {
            left -= 2 * weights[i, 0] * shared[i]
            for j in 0..<columns { left += weights[i, 0] * weights[j, 0] * products[max(i, j) * columns + min(i, j)] }
        }
        return max(left, 0)
    }
}
