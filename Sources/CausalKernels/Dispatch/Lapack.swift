internal import CNumerics

/// LAPACK's routines as they are: column-major, dense, in place, with a status that is 0 for success, -i where argument i is wrong, and
/// otherwise what each says.
public protocol LapackScalar {
    /// Cholesky factor of a symmetric positive definite matrix. Status i: the leading minor of order i is not positive.
    static func potrf(_ uplo: CChar, _ n: Int32, _ a: UnsafeMutablePointer<Self>) -> Int32
    /// The inverse of a matrix in place of its Cholesky factor, the triangle that is named. Status i: the i-th diagonal element is zero.
    static func potri(_ uplo: CChar, _ n: Int32, _ factor: UnsafeMutablePointer<Self>) -> Int32
    /// Solves `A x = b` in place of b, from the Cholesky factor of A.
    static func potrs(_ uplo: CChar, _ n: Int32, _ factor: UnsafePointer<Self>, _ b: UnsafeMutablePointer<Self>) -> Int32
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

    public static func potri(_ uplo: CChar, _ n: Int32, _ factor: UnsafeMutablePointer<Float>) -> Int32 {
        var uplo = uplo, n = n, status: Int32 = 0
        withUnsafePointer(to: max(n, 1)) { spotri_(&uplo, &n, factor, $0, &status) }
        return status
    }

    public static func potrs(_ uplo: CChar, _ n: Int32, _ factor: UnsafePointer<Float>, _ b: UnsafeMutablePointer<Float>) -> Int32 {
        var uplo = uplo, n = n, columns: Int32 = 1, status: Int32 = 0
        withUnsafePointer(to: max(n, 1)) { spotrs_(&uplo, &n, &columns, factor, $0, b, $0, &status) }
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

    public static func potri(_ uplo: CChar, _ n: Int32, _ factor: UnsafeMutablePointer<Double>) -> Int32 {
        var uplo = uplo, n = n, status: Int32 = 0
        withUnsafePointer(to: max(n, 1)) { dpotri_(&uplo, &n, factor, $0, &status) }
        return status
    }

    public static func potrs(_ uplo: CChar, _ n: Int32, _ factor: UnsafePointer<Double>, _ b: UnsafeMutablePointer<Double>) -> Int32 {
        var uplo = uplo, n = n, columns: Int32 = 1, status: Int32 = 0
        withUnsafePointer(to: max(n, 1)) { dpotrs_(&uplo, &n, &columns, factor, $0, b, $0, &status) }
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
