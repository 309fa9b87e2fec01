public import CausalKernelInterface

extension VectorKernels {
    public static func add(_ x: UnsafePointer<Scalar>, to y: UnsafeMutablePointer<Scalar>, count: Int) {
        for i in 0..<count { y[i] += x[i] }
    }

    public static func addBias(_ bias: UnsafePointer<Scalar>, to x: UnsafePointer<Scalar>, into y: UnsafeMutablePointer<Scalar>,
                               rows: Int, columns: Int) {
        var from = x, to = y
        for _ in 0..<rows {
            for j in 0..<columns { to[j] = from[j] + bias[j] }
            from += columns
            to += columns
        }
    }

    public static func columnSums(_ x: UnsafePointer<Scalar>, rows: Int, columns: Int, accumulate: Bool,
                                  into sums: UnsafeMutablePointer<Scalar>) {
        let lanes = Vector.scalarCount
        var column = 0
        // Two vectors of sums at a time stay in registers while the rows go by.
        while column + lanes <= columns {
            let isPair = column + 2 * lanes <= columns
            var low = accumulate ? Vector.load(sums + column) : Vector(repeating: 0)
            var high = accumulate && isPair ? Vector.load(sums + column + lanes) : Vector(repeating: 0)
            var row = x + column
            if isPair {
                for _ in 0..<rows {
                    low = low + .load(row)
                    high = high + .load(row + lanes)
                    row += columns
                }
            } else {
                for _ in 0..<rows {
                    low = low + .load(row)
                    row += columns
                }
            }
            low.store(to: sums + column)
            column += lanes
            if isPair {
                high.store(to: sums + column)
                column += lanes
            }
        }
        while column < columns {
            var sum = accumulate ? sums[column] : 0
            for i in 0..<rows { sum += x[i * columns + column] }
            sums[column] = sum
            column += 1
        }
    }

    public static func sumOfSquares(_ x: UnsafePointer<Scalar>, count: Int) -> Double {
        // Four sums, so that additions do not wait for one another.
        var a = 0.0, b = 0.0, c = 0.0, d = 0.0
        var i = 0
        while i + 4 <= count {
            let p = Double(x[i]), q = Double(x[i + 1]), r = Double(x[i + 2]), s = Double(x[i + 3])
            a += p * p
            b += q * q
            c += r * r
            d += s * s
            i += 4
        }
        while i < count {
            let p = Double(x[i])
            a += p * p
            i += 1
        }
        return (a + b) + (c + d)
    }

    public static func scale(_ x: UnsafeMutablePointer<Scalar>, by factor: Scalar, count: Int) {
        for i in 0..<count { x[i] *= factor }
    }

    public static func firstNonFinite(_ x: UnsafePointer<Scalar>, count: Int) -> Int {
        // Zero times anything finite is zero: whole blocks are tested with one sum.
        let block = 8 * Vector.scalarCount
        var start = 0
        while start + block <= count {
            var sum = Vector(repeating: 0)
            for k in 0..<8 { sum = sum.adding(Vector.load(x + start + k * Vector.scalarCount), times: Vector(repeating: 0)) }
            if sum.total() != 0 { break }
            start += block
        }
        while start < count && x[start].isFinite { start += 1 }
        return start
    }

    public static func copyColumns(_ x: UnsafePointer<Scalar>, stride: Int, column: Int,
                                   to y: UnsafeMutablePointer<Scalar>, targetStride: Int, targetColumn: Int,
                                   rows: Int, width: Int, accumulate: Bool) {
        var from = x + column, to = y + targetColumn
        for _ in 0..<rows {
            if accumulate {
                for j in 0..<width { to[j] += from[j] }
            } else {
                to.update(from: from, count: width)
            }
            from += stride
            to += targetStride
        }
    }
}
