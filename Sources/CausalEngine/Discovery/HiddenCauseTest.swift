internal import CausalKernels
internal import Glibc

/// By how much two variables, of which one is thought to cause the other, are better explained by a hidden common cause: the Bayesian information criterion
/// of linear Gaussian mechanisms with X <-> Y in place of X -> Y, less that of the graph as it is.
///
/// Where X and Y have causes of their own, those of one are independent of the other if neither causes the other. A graph without hidden causes has to
/// make up for that with more edges, each of which has a price; with X <-> Y they are left out. The likelihood of two mechanisms whose noises are
/// correlated is found by regressing each on its parents and on what the other leaves unexplained, in turn (residual iterative conditional
/// fitting, Drton, Eichler and Richardson 2009).
struct HiddenCauseTest {
    /// Of rows in which nothing was set.
    private let covariances: Covariances
    private let half: Double
    private let price: Double

    private static let mostSteps = 100

    /// - Parameter penalty: what a parameter costs, times half of the logarithm of the number of rows.
    init(_ covariances: Covariances, penalty: Double) {
        self.covariances = covariances
        half = Double(covariances.rows) / 2
        price = penalty / 2 * log(Double(max(covariances.rows, 2)))
    }

    /// - Parameters:
    ///   - effectParents: without the cause, and without what the cause causes.
    func evidence(_ cause: Int, parents causeParents: [Int], _ effect: Int, parents effectParents: [Int]) -> Double {
        let directed = log(variance(fitted(Mechanism(cause, causeParents)))) + log(variance(fitted(Mechanism(effect, effectParents + [cause]))))
        func gain(_ pair: Pair) -> Double {
            let saved = causeParents.count + effectParents.count - pair.first.parents.count - pair.second.parents.count
            return half * (directed - logDeterminant(pair)) + price * Double(saved)
        }
        var pair = fitted(Pair(first: Mechanism(cause, causeParents), second: Mechanism(effect, effectParents))), best = gain(pair)
        while true {
            let smaller = pair.first.parents.indices.map { Pair(first: pair.first.without($0), second: pair.second) }
                + pair.second.parents.indices.map { Pair(first: pair.first, second: pair.second.without($0)) }
            let candidates = smaller.map { fitted($0) }.map { ($0, gain($0)) }
            guard let next = candidates.max(by: { $0.1 < $1.1 }), next.1 > best else { return best }
            (pair, best) = next
        }
    }

    /// A variable and its regression on its parents.
    private struct Mechanism {
        let variable: Int
        var parents: [Int]
        var weights: [Double]

        init(_ variable: Int, _ parents: [Int]) {
            self.variable = variable
            self.parents = parents
            weights = [Double](repeating: 0, count: parents.count)
        }

        func without(_ place: Int) -> Mechanism {
            var copy = self
            copy.parents.remove(at: place)
            copy.weights.remove(at: place)
            return copy
        }
    }

    private struct Pair {
        var first: Mechanism
        var second: Mechanism
    }

    // MARK: Likelihood

    private func fitted(_ pair: Pair) -> Pair {
        var pair = Pair(first: fitted(pair.first), second: fitted(pair.second)), last = Double.infinity
        for _ in 0..<Self.mostSteps {
            pair.second = fitted(pair.second, beside: pair.first)
            pair.first = fitted(pair.first, beside: pair.second)
            let now = logDeterminant(pair)
            guard last - now > 1e-9 else { break }
            last = now
        }
        return pair
    }

    /// Least squares on the parents, and on what another mechanism leaves unexplained. Parents that determine each other leave it as it was.
    private func fitted(_ mechanism: Mechanism, beside other: Mechanism? = nil) -> Mechanism {
        let parents = mechanism.parents, count = parents.count, size = count + (other == nil ? 0 : 1)
        guard count > 0 else { return mechanism }
        var products = [Double](repeating: 0, count: size * size), shared = [Double](repeating: 0, count: size)
        for (i, parent) in parents.enumerated() {
            for (j, second) in parents.enumerated() { products[i * size + j] = correlation(parent, second) }
            shared[i] = correlation(parent, mechanism.variable)
        }
        if let other {
            for (i, parent) in parents.enumerated() {
                products[count * size + i] = covariance(other, parent)
                products[i * size + count] = products[count * size + i]
            }
            products[count * size + count] = variance(other)
            shared[count] = covariance(other, mechanism.variable)
        }
        let lower = CChar(UInt8(ascii: "L"))
        guard Double.potrf(lower, Int32(size), &products) == 0, Double.potrs(lower, Int32(size), products, &shared) == 0 else { return mechanism }
        var fitted = mechanism
        fitted.weights = Array(shared.prefix(count))
        return fitted
    }

    /// Of the covariances of what the two leave unexplained.
    private func logDeterminant(_ pair: Pair) -> Double {
        let shared = pair.second.parents.indices.reduce(covariance(pair.first, pair.second.variable)) {
            $0 - pair.second.weights[$1] * covariance(pair.first, pair.second.parents[$1])
        }
        return log(max(variance(pair.first) * variance(pair.second) - shared * shared, Elimination.least))
    }

    /// Of what a mechanism leaves unexplained.
    private func variance(_ mechanism: Mechanism) -> Double {
        let own = covariance(mechanism, mechanism.variable)
        return max(mechanism.parents.indices.reduce(own) { $0 - mechanism.weights[$1] * covariance(mechanism, mechanism.parents[$1]) }, Elimination.least)
    }

    /// Between what a mechanism leaves unexplained and a variable.
    private func covariance(_ mechanism: Mechanism, _ other: Int) -> Double {
        mechanism.parents.indices.reduce(correlation(mechanism.variable, other)) { $0 - mechanism.weights[$1] * correlation(mechanism.parents[$1], other) }
    }

    private func correlation(_ a: Int, _ b: Int) -> Double { covariances.matrix(of: 0)[a * covariances.stride + b] }
}
