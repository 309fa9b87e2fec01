public import CausalKernelInterface

// The do-operator on a block of rows. Select, never `mask * v + (1 - mask) * h`: an entry that is not chosen may hold
// NaN and must not reach the result.

extension VectorKernels {
    public static func select(_ x: UnsafePointer<Scalar>, mask: UnsafePointer<UInt8>, maskStride: Int,
                              values: UnsafePointer<Scalar>, valueStride: Int,
                              into y: UnsafeMutablePointer<Scalar>, rows: Int, columns: Int) {
        // Rows that follow one another everywhere are one long one.
        let isDense = maskStride == columns && valueStride == columns
        let (rows, columns) = isDense ? (1, rows * columns) : (rows, columns)
        var from = x, to = y, set = mask, value = values
        for _ in 0..<rows {
            // Both are loaded, so that the choice is one instruction for a vector of them.
            for j in 0..<columns {
                let given = value[j], own = from[j]
                to[j] = set[j] != 0 ? given : own
            }
            from += columns
            to += columns
            set += maskStride
            value += valueStride
        }
    }

    public static func selectGradient(_ g: UnsafeMutablePointer<Scalar>, mask: UnsafePointer<UInt8>, maskStride: Int,
                                      valueGradient: UnsafeMutablePointer<Scalar>?, valueStride: Int, rows: Int, columns: Int) {
        var gradient = g, set = mask
        var value = valueGradient
        for _ in 0..<rows {
            if let value {
                for j in 0..<columns where set[j] != 0 { value[j] += gradient[j] }
            }
            for j in 0..<columns { gradient[j] = set[j] != 0 ? 0 : gradient[j] }
            gradient += columns
            set += maskStride
            value = value.map { $0 + valueStride }
        }
    }
}
