internal import Glibc

/// The Bayesian information criterion of linear Gaussian mechanisms (Schwarz 1978), of which rows set by do() for a variable tell nothing (Hauser
/// and Bühlmann 2012): half of `-n log(1 - R^2) - penalty log(N)` for each parent.
struct GaussianScore: LocalScore {
    let covariances: Covariances
    /// What a parent costs.
    private let price: Double

    var count: Int { covariances.count }
    var isEquivalent: Bool { true }
    var tolerance: Double { 1e-9 * Double(covariances.rows) }

    init(_ covariances: Covariances, penalty: Double) {
        self.covariances = covariances
        price = penalty / 2 * log(Double(max(covariances.rows, 2)))
    }

    func mostParents(of variable: Int) -> Int { max(0, (covariances.rows(of: variable) - 1) / 3) }

    func evaluate(_ variable: Int, parents: UnsafeBufferPointer<UInt16>, into evaluation: Evaluation) {
        let elimination = evaluation.workspace as? Elimination ?? Elimination(count: count, stride: covariances.stride)
        evaluation.workspace = elimination
        let half = Double(covariances.rows(of: variable)) / 2, least = Elimination.least
        elimination.take(parents, from: covariances.matrix(of: variable), target: variable)
        let variance = max(elimination.variances[variable], least)
        evaluation.score = -half * log(variance) - price * Double(parents.count)

        // The least share of the variance that pays for a parent; most candidates are below, and need no logarithm.
        let worthwhile = half > 0 ? 1 - exp(-price / half) : 1
        let gains = evaluation.gains, variances = elimination.variances, covariances = elimination.covariances
        for c in 0..<count {
            let left = variances[c], covariance = covariances[c]
            if left > least, covariance * covariance > worthwhile * left * variance {
                gains[c] = -half * log(max(1 - covariance * covariance / (left * variance), least)) - price
            } else {
                gains[c] = 0
            }
        }
        for (place, parent) in elimination.sequence.enumerated() {
            let growth = elimination.growth(without: place, target: variable)
            evaluation.losses[parents.firstIndex(of: UInt16(parent))!] = price - half * log(1 + growth / variance)
        }
    }
}
