internal import CausalKernels
internal import Glibc

/// How far a matrix of gates is from a graph without cycles (DAGMA, Bello, Aragam and Ravikumar 2022): `-s log det(I - A / s)`, which is s times the
/// sum over all closed walks of their weights in A / s, each divided by its length. It is 0 exactly where there is none.
///
/// The scale s must be above the spectral radius of A. It follows A here, so that closing the last cycles counts as much as closing the first.
struct Acyclicity {
    let count: Int
    /// Nearly the dominant eigenvector of the matrices that came by, which change little from one to the next.
    private var vector: [Double]
    private var next: [Double]

    /// Above the spectral radius by so much: nearer to it the shortest cycles would hide behind the heaviest one.
    private static let margin = 1.5
    /// Where hardly anything is left of a cycle.
    private static let least = 0.1
    private static let iterations = 10

    init(count: Int) {
        self.count = count
        vector = [Double](repeating: 1, count: count)
        next = vector
    }

    /// A scale for `a`, whose elements are not negative: above its spectral radius whatever `a` is, by the bound of Collatz and Wielandt, which holds
    /// for any positive vector and is tight for the dominant one.
    mutating func scale(for a: UnsafePointer<Double>) -> Double {
        var bound = 0.0
        for _ in 0..<Self.iterations {
            bound = 0
            var most = 0.0
            for i in 0..<count {
                var sum = 0.0
                for j in 0..<count { sum += a[i * count + j] * vector[j] }
                bound = max(bound, sum / vector[i])
                // Of A + I, which has the same vectors, and no other root as large as the first.
                next[i] = sum + vector[i]
                most = max(most, next[i])
            }
            for i in 0..<count { vector[i] = max(next[i] / most, 1e-100) }
        }
        return Self.margin * bound + Self.least
    }

    /// Writes the gradient with respect to each element of `a`.
    func callAsFunction(_ a: UnsafePointer<Double>, scale: Double, gradient: UnsafeMutablePointer<Double>) throws(EngineError) -> Double {
        // LAPACK reads columns: it is given I - A / s, and what it returns is the inverse, read by rows the inverse transposed.
        var matrix = [Double](repeating: 0, count: count * count), pivots = [Int32](repeating: 0, count: count)
        for i in 0..<count {
            for j in 0..<count {
                let one = i == j ? 1.0 : 0
                matrix[j * count + i] = one - a[i * count + j] / scale
                gradient[i * count + j] = one
            }
        }
        guard Double.gesv(Int32(count), Int32(count), &matrix, &pivots, gradient) == 0 else {
            throw EngineError(.value, "acyclicity: the scale \(scale) is not above the spectral radius")
        }
        guard hasCycle(a) else { return 0 }
        // The determinant is positive: rows that change places come with signs that cancel.
        return -scale * (0..<count).reduce(0) { $0 + log(abs(matrix[$1 * count + $1])) }
    }

    /// Whether there is one in what is not 0: variables without a cause that is left are taken away until there is none.
    private func hasCycle(_ a: UnsafePointer<Double>) -> Bool {
        var left = Array(0..<count)
        while let place = left.firstIndex(where: { child in left.allSatisfy { a[$0 * count + child] == 0 } }) { left.remove(at: place) }
        return !left.isEmpty
    }
}
