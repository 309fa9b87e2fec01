internal import CNumerics

/// LAPACK's routines as they are: column-major, dense, in place, with a status that is 0 for success, -i where argument i is wrong, and
/// otherwise what each says.
public protocol LapackScalar {
    /// Cholesky factor of a symmetric positive definite matrix. Status i: the leading minor of order i is not positive.
    static func potrf(_ uplo: CChar, _ n: Int32, _ a: UnsafeMutablePointer<Self>) -> Int32
    /// Solves `A X = B` by LU with pivots. Status i: the i-th pivot is zero.
    static func gesv(_ n: Int32, _ columns: Int32, _ a: UnsafeMutablePointer<Self>, _ pivots: UnsafeMutablePointer<Int32>,
                     _ b: UnsafeMutablePointer<Self>) -> Int32
    /// Eigenvalues (ascending) and eigenvectors, in place of `a`, of a symmetric matrix. Status i: it did not converge.
    /// With `workCount` -1 the size of `work` that would be best is written to its first element.
    static func syev(_ uplo: CChar, _ n: Int32, _ a: UnsafeMutablePointer<Self>, _ values: UnsafeMutablePointer<Self>,
                     _ work: UnsafeMutablePointer<Self>, _ workCount: Int32) -> Int32
}

extension Float: LapackScalar {
    public static func potrf(_ uplo: CChar, _ n: Int32, _ a: UnsafeMutablePointer<Float>) -> Int32 {
        var uplo = uplo, n = n, status: Int32 = 0
        withUnsafePointer(to: max(n, 1)) { spotrf_(&uplo, &n, a, $0, &status) }
        return status
    }

    public static func gesv(_ n: Int32, _ columns: Int32, _ a: UnsafeMutablePointer<Float>, _ pivots: UnsafeMutablePointer<Int32>,
                            _ b: UnsafeMutablePointer<Float>) -> Int32 {
        var size = n, columns = columns, status: Int32 = 0
        withUnsafePointer(to: max(n, 1)) { sgesv_(&size, &columns, a, $0, pivots, b, $0, &status) }
        return status
    }

    public static func syev(_ uplo: CChar, _ n: Int32, _ a: UnsafeMutablePointer<Float>, _ values: UnsafeMutablePointer<Float>,
                            _ work: UnsafeMutablePointer<Float>, _ workCount: Int32) -> Int32 {
        var vectors = CChar(UInt8(ascii: "V")), uplo = uplo, size = n, workCount = workCount, status: Int32 = 0
        withUnsafePointer(to: max(n, 1)) { ssyev_(&vectors, &uplo, &size, a, $0, values, work, &workCount, &status) }
        return status
    }
}

extension Double: LapackScalar {
    public static func potrf(_ uplo: CChar, _ n: Int32, _ a: UnsafeMutablePointer<Double>) -> Int32 {
        var uplo = uplo, n = n, status: Int32 = 0
        withUnsafePointer(to: max(n, 1)) { dpotrf_(&uplo, &n, a, $0, &status) }
        return status
    }

    public static func gesv(_ n: Int32, _ columns: Int32, _ a: UnsafeMutablePointer<Double>, _ pivots: UnsafeMutablePointer<Int32>,
                            _ b: UnsafeMutablePointer<Double>) -> Int32 {
        var size = n, columns = columns, status: Int32 = 0
        withUnsafePointer(to: max(n, 1)) { dgesv_(&size, &columns, a, $0, pivots, b, $0, &status) }
        return status
    }

    public static func syev(_ uplo: CChar, _ n: Int32, _ a: UnsafeMutablePointer<Double>, _ values: UnsafeMutablePointer<Double>,
                            _ work: UnsafeMutablePointer<Double>, _ workCount: Int32) -> Int32 {
        var vectors = CChar(UInt8(ascii: "V")), uplo = uplo, size = n, workCount = workCount, status: Int32 = 0
        withUnsafePointer(to: max(n, 1)) { dsyev_(&vectors, &uplo, &size, a, $0, values, work, &workCount, &status) }
        return status
    }
}
