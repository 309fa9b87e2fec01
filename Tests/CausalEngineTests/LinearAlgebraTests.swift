import CausalEngine
import CausalKernels
import Testing

@Suite struct LinearAlgebraTests {
    private func times(_ a: Matrix<Double>, _ b: Matrix<Double>) throws -> Matrix<Double> {
        var result = try Matrix<Double>(rows: a.rows, columns: b.columns, repeating: 0)
        for i in 0..<a.rows { for j in 0..<b.columns { for k in 0..<a.columns { result[i, j] += a[i, k] * b[k, j] } } }
        return result
    }

    private func expectClose(_ a: Matrix<Double>, _ b: Matrix<Double>, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(a.rows == b.rows && a.columns == b.columns, sourceLocation: sourceLocation)
        for (x, y) in zip(a.elements, b.elements) { #expect(abs(x - y) < 1e-10, sourceLocation: sourceLocation) }
    }

    @Test(arguments: [0, 1, 2, 5, 30]) func factors(_ n: Int) throws {
        var random = TestRandom(UInt64(n))
        let a = try random.matrix(n, n)
        var positive = try times(a, a.transposed())
        for i in 0..<n { positive[i, i] += 0.5 }

        let factor = try positive.cholesky()
        expectClose(try times(factor, factor.transposed()), positive)
        for i in 0..<n { for j in 0..<n where j > i { #expect(factor[i, j] == 0) } }

        let x = try random.matrix(n, 3)
        expectClose(try a.solve(times(a, x)), x)

        let (values, vectors) = try positive.symmetricEigen()
        #expect(values == values.sorted())
        var scaled = vectors
        for i in 0..<n { for j in 0..<n { scaled[i, j] *= values[i] } }
        expectClose(try times(vectors.transposed(), scaled), positive)
    }

    @Test func single() throws {
        #expect(try ([[4, 0], [2, 2]] as Matrix<Float>).cholesky() == [[2, 0], [1, 1]])
        #expect(try ([[2, 0], [0, 4]] as Matrix<Float>).solve([[2], [2]]) == [[1], [0.5]])
        #expect(try ([[3, 0], [0, 1]] as Matrix<Float>).symmetricEigen().values == [1, 3])
    }

    @Test func errors() throws {
        #expect(throws: EngineError(.value, "cholesky: the leading minor of order 2 is not positive")) { try ([[1, 2], [2, 1]] as Matrix<Double>).cholesky() }
        #expect(throws: EngineError(.value, "solve: the matrix is singular (pivot 2 is zero)")) { try ([[1, 2], [2, 4]] as Matrix<Double>).solve([[1], [1]]) }
        #expect(throws: EngineError(.shape, "cholesky: a matrix of shape (1, 2), expected a square one")) { try ([[1, 2]] as Matrix<Double>).cholesky() }
        #expect(throws: EngineError(.value, "eigenvalues: the number in row 0, column 1 is nan")) { try ([[1, .nan], [2, 1]] as Matrix<Double>).symmetricEigen() }
    }
}
