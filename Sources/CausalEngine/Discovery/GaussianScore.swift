internal import CausalKernels
internal import Glibc

/// The Bayesian information criterion of linear Gaussian mechanisms (Schwarz 1978), of which rows set by do() for a variable tell nothing (Hauser
/// and Bühlmann 2012): half of `-n log(1 - R^2) - penalty log(N)` for each parent.
struct GaussianScore: LocalScore {
    let covariances: Covariances
    /// What a parent costs.
    private let price: Double

    /// What a variance must have left, of 1, to count as one: what is less is a linear function of the parents, but for rounding.
    private static let least = 1e-10

    var count: Int { covariances.count }
    var isEquivalent: Bool { true }
    var tolerance: Double { 1e-9 * Double(covariances.rows) }

    init(_ covariances: Covariances, penalty: Double) {
        self.covariances = covariances
        price = penalty / 2 * log(Double(max(covariances.rows, 2)))
    }

    func mostParents(of variable: Int) -> Int { max(0, (covariances.rows(of: variable) - 1) / 3) }

    func evaluate(_ variable: Int, parents: UnsafeBufferPointer<UInt16>, into evaluation: Evaluation) {
        let size = parents.count, stride = covariances.stride, matrix = covariances.matrix(of: variable)
        let half = Double(covariances.rows(of: variable)) / 2
        // Of the Cholesky factor a row for each parent, over all variables; then what it leaves of variances and covariances.
        let basis = evaluation.room(for: (size + 2) * stride + size * (size + 2))
        let variances = basis + size * stride, covariances = variances + stride
        let coefficients = covariances + stride, inverse = coefficients + size, weights = inverse + size * size
        for j in 0..<stride { variances[j] = 1 }
        covariances.update(from: matrix + variable * stride, count: stride)
        let kernels = Double.kernels
        for k in 0..<size {
            let parent = Int(parents[k]), left = variances[parent]
            let scale = left > Self.least ? 1 / left.squareRoot() : 0
            for i in 0..<k { coefficients[i] = basis[i * stride + parent] }
            kernels.eliminate(matrix + parent * stride, basis: basis, stride: stride, coefficients: coefficients, steps: k, scale: scale,
                              target: covariances[parent] * scale, into: basis + k * stride, variances: variances, covariances: covariances, count: stride)
        }
        let variance = max(variances[variable], Self.least)
        evaluation.score = -half * log(variance) - price * Double(size)

        // The least share of the variance that pays for a parent; most candidates are below, and need no logarithm.
        let worthwhile = half > 0 ? 1 - exp(-price / half) : 1
        let gains = evaluation.gains
        for c in 0..<count {
            let left = variances[c], covariance = covariances[c]
            let share = left > Self.least ? covariance * covariance / (left * variance) : 0
            gains[c] = share > worthwhile ? -half * log(max(1 - share, Self.least)) - price : 0
        }
        invert(basis, parents, stride: stride, into: inverse)
        for k in 0..<size {
            var square = 0.0, weight = 0.0
            for i in k..<size {
                let element = inverse[i * size + k]
                square += element * element
                weight += element * basis[i * stride + variable]
            }
            weights[k] = weight
            let without = square > 0 ? variance + weight * weight / square : variance
            evaluation.losses[k] = price - half * log(without / variance)
        }
    }

    /// The inverse of the Cholesky factor, a lower triangle that is `basis` at the parents. A parent that nothing is left of has a row of zeros.
    private func invert(_ basis: UnsafePointer<Double>, _ parents: UnsafeBufferPointer<UInt16>, stride: Int, into inverse: UnsafeMutablePointer<Double>) {
        let size = parents.count
        for i in 0..<size {
            let own = basis[i * stride + Int(parents[i])]
            for k in 0...i {
                guard own != 0 else {
                    inverse[i * size + k] = 0
                    continue
                }
                var sum = k == i ? 1.0 : 0
                for j in k..<i { sum -= basis[j * stride + Int(parents[i])] * inverse[j * size + k] }
                inverse[i * size + k] = sum / own
            }
        }
    }
}
