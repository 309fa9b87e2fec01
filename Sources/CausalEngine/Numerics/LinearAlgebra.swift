internal import CausalKernels

// Dense linear algebra from LAPACK. A symmetric matrix is its own transpose, so that column-major routines can take our
// row-major ones as they are.

extension Matrix {
    /// The lower triangular L with `L Lᵀ = self`, for a symmetric positive definite matrix (only its lower triangle is looked at).
    ///
    /// - Throws: `.shape` unless it is square, `.value` unless it is finite and positive definite.
    public func cholesky() throws(EngineError) -> Matrix {
        var factor = try squareAndFinite("cholesky")
        // Our lower triangle is the upper one of a column-major reader.
        let status = try factor.withMutableView { view throws(EngineError) in Scalar.potrf(CChar(UInt8(ascii: "U")), Int32(view.rows), view.pointer) }
        guard status == 0 else { throw EngineError(.value, "cholesky: the leading minor of order \(status) is not positive") }
        for i in 0..<rows { for j in i + 1..<max(columns, i + 1) { factor[i, j] = 0 } }
        return factor
    }

    /// The X with `self X = b`.
    ///
    /// - Throws: `.shape` unless it is square and has b's rows, `.value` unless all is finite and it is regular.
    public func solve(_ b: Matrix) throws(EngineError) -> Matrix {
        let square = try squareAndFinite("solve")
        guard b.rows == rows else { throw EngineError(.shape, "solve: a matrix of \(rows) rows and a right side of \(b.rows)") }
        try b.expectFinite("solve")
        var a = try square.transposed(), x = try b.transposed()
        var pivots = [Int32](repeating: 0, count: rows)
        let status = try a.withMutableView { a throws(EngineError) in
            try x.withMutableView { x throws(EngineError) in Scalar.gesv(Int32(a.rows), Int32(x.rows), a.pointer, &pivots, x.pointer) }
        }
        guard status == 0 else { throw EngineError(.value, "solve: the matrix is singular (pivot \(status) is zero)") }
        return try x.transposed()
    }

    /// Eigenvalues, ascending, and orthonormal eigenvectors, one a row, of a symmetric matrix (only its lower triangle is looked at).
    ///
    /// - Throws: `.shape` unless it is square, `.value` unless it is finite.
    public func symmetricEigen() throws(EngineError) -> (values: [Scalar], vectors: Matrix) {
        var vectors = try squareAndFinite("eigenvalues")
        var values = [Scalar](repeating: 0, count: rows)
        guard rows > 0 else { return ([], vectors) }
        let status = try vectors.withMutableView { a throws(EngineError) in
            let upper = CChar(UInt8(ascii: "U")), n = Int32(a.rows)
            var best: Scalar = 0
            _ = Scalar.syev(upper, n, a.pointer, &values, &best, -1)
            var work = [Scalar](repeating: 0, count: Int(best))
            return Scalar.syev(upper, n, a.pointer, &values, &work, Int32(best))
        }
        guard status == 0 else { throw EngineError(.value, "eigenvalues: the iteration did not converge") }
        return (values, vectors)
    }

    /// Rows for columns.
    public func transposed() throws(EngineError) -> Matrix {
        var result = try Matrix(rows: columns, columns: rows, repeating: 0)
        for i in 0..<rows { for j in 0..<columns { result[j, i] = self[i, j] } }
        return result
    }

    private func squareAndFinite(_ what: String) throws(EngineError) -> Matrix {
        guard rows == columns, rows <= Int(Int32.max) else {
            throw EngineError(.shape, "\(what): a matrix of shape (\(rows), \(columns)), expected a square one")
        }
        try expectFinite(what)
        return self
    }

    private func expectFinite(_ what: String) throws(EngineError) {
        guard let bad = elements.firstIndex(where: { !$0.isFinite }) else { return }
        throw EngineError(.value, "\(what): the number in row \(bad / columns), column \(bad % columns) is \(elements[bad])")
    }
}
