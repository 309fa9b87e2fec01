public import CausalKernelInterface

extension VectorKernels {
    public static func eliminate(_ row: UnsafePointer<Scalar>, basis: UnsafePointer<Scalar>, stride: Int, coefficients: UnsafePointer<Scalar>,
                                 steps: Int, scale: Scalar, target: Scalar, into next: UnsafeMutablePointer<Scalar>,
                                 variances: UnsafeMutablePointer<Scalar>, covariances: UnsafeMutablePointer<Scalar>, count: Int) {
        let lanes = Vector.scalarCount, scales = Vector(repeating: scale), targets = Vector(repeating: target)
        var j = 0
        while j < count {
            var left = Vector.load(row + j)
            for i in 0..<steps { left = left - Vector(repeating: coefficients[i]) * .load(basis + i * stride + j) }
            let z = left * scales
            z.store(to: next + j)
            (Vector.load(variances + j) - z * z).store(to: variances + j)
            (Vector.load(covariances + j) - z * targets).store(to: covariances + j)
            j += lanes
        }
    }

    public static func products(_ x: UnsafePointer<Scalar>, _ y: UnsafePointer<Scalar>, stride: Int, rows: Int, columns: Int,
                                addingTo sums: UnsafeMutablePointer<Scalar>) {
        // Four columns at once, which share x; each pair is summed in the same order wherever it stands.
        let lanes = Vector.scalarCount
        var column = 0
        while column < columns {
            let width = min(4, columns - column)
            let a = y + column * stride, b = y + (column + min(1, width - 1)) * stride
            let c = y + (column + min(2, width - 1)) * stride, d = y + (column + min(3, width - 1)) * stride
            var sa = Vector(), sb = Vector(), sc = Vector(), sd = Vector()
            var i = 0
            while i < rows {
                let shared = Vector.load(x + i)
                sa = sa.adding(shared, times: .load(a + i))
                sb = sb.adding(shared, times: .load(b + i))
                sc = sc.adding(shared, times: .load(c + i))
                sd = sd.adding(shared, times: .load(d + i))
                i += lanes
            }
            sums[column] += sum(sa)
            if width > 1 { sums[column + 1] += sum(sb) }
            if width > 2 { sums[column + 2] += sum(sc) }
            if width > 3 { sums[column + 3] += sum(sd) }
            column += 4
        }
    }

    @inline(__always) private static func sum(_ vector: Vector) -> Scalar {
        var total: Scalar = 0
        for lane in 0..<Vector.scalarCount { total += vector[lane] }
        return total
    }
}
