internal import Glibc

/// The Bayesian information criterion of linear Gaussian mechanisms between groups of columns, one group for each variable as a parent and one as
/// a child, for what is not linear or not Gaussian in the columns themselves:
///
/// - mixed data, where a categorical variable stands for an indicator of each level but one, as parent and as child (the degenerate Gaussian
///   score of Andrews, Ramsey and Cooper 2019);
/// - additive noise (Bühlmann, Peters and Ernest 2014), where a parent stands for smooth functions of itself, and the child for itself.
struct BlockScore: LocalScore {
    let isEquivalent: Bool
    private let covariances: Covariances
    /// By variable, its columns as a parent and as a child.
    private let asParent: [[Int]]
    private let asChild: [[Int]]
    /// What a parameter costs.
    private let price: Double

    var count: Int { asParent.count }
    var tolerance: Double { 1e-9 * Double(covariances.rows) }

    init(_ covariances: Covariances, asParent: [[Int]], asChild: [[Int]], penalty: Double, isEquivalent: Bool) {
        self.covariances = covariances
        self.asParent = asParent
        self.asChild = asChild
        self.isEquivalent = isEquivalent
        price = penalty / 2 * log(Double(max(covariances.rows, 2)))
    }

    func mostParents(of variable: Int) -> Int {
        max(0, (covariances.rows(of: asChild[variable][0]) - 1) / 3 / (asParent.map(\.count).max() ?? 1))
    }

    func evaluate(_ variable: Int, parents: UnsafeBufferPointer<UInt16>, into evaluation: Evaluation) {
        let elimination = evaluation.workspace as? Elimination ?? Elimination(count: covariances.count, stride: covariances.stride)
        evaluation.workspace = elimination
        let child = asChild[variable], matrix = covariances.matrix(of: child[0])
        let half = Double(covariances.rows(of: child[0])) / 2
        let columns = parents.flatMap { asParent[Int($0)].map { UInt16($0) } }
        columns.withUnsafeBufferPointer { elimination.take($0, from: matrix, target: child[0]) }
        let own = child.flatMap { a in child.map { matrix[a * covariances.stride + $0] } }
        let left = child.flatMap { a in child.map { elimination.left(a, $0) } }
        let before = logDeterminant(left, child.count)
        evaluation.score = half * (logDeterminant(own, child.count) - before) - price * Double(child.count * columns.count)

        for c in 0..<count where c != variable && !parents.contains(UInt16(c)) {
            let added = asParent[c]
            let block = added.flatMap { a in added.map { elimination.left(a, $0) } }
            let shared = added.flatMap { a in child.map { elimination.left(a, $0) } }
            let after = logDeterminant(schur(left, block, shared, child.count, added.count, sign: -1), child.count)
            evaluation.gains[c] = half * (before - after) - price * Double(child.count * added.count)
        }
        var place = [Int](repeating: -1, count: covariances.count)
        for (k, column) in elimination.sequence.enumerated() { place[column] = k }
        for (k, parent) in parents.enumerated() {
            let dropped = asParent[Int(parent)]
            let (inverse, weights) = elimination.regression(at: dropped.map { place[$0] }, of: child)
            let after = logDeterminant(schur(left, inverse, weights, child.count, dropped.count, sign: 1), child.count)
            evaluation.losses[k] = half * (before - after) + price * Double(child.count * dropped.count)
        }
    }

    /// `a + sign sharedᵀ block⁻¹ shared`, where what nothing is left of in the block plays no part.
    private func schur(_ a: [Double], _ block: [Double], _ shared: [Double], _ size: Int, _ inner: Int, sign: Double) -> [Double] {
        var factor = block, solved = shared, result = a
        for i in 0..<inner {
            for j in 0...i {
                var sum = factor[i * inner + j]
                for k in 0..<j { sum -= factor[i * inner + k] * factor[j * inner + k] }
                if i == j {
                    factor[i * inner + i] = sum > Elimination.least ? sum.squareRoot() : 0
                } else {
                    factor[i * inner + j] = factor[j * inner + j] > 0 ? sum / factor[j * inner + j] : 0
                }
            }
            let own = factor[i * inner + i]
            for t in 0..<size {
                var sum = solved[i * size + t]
                for k in 0..<i { sum -= factor[i * inner + k] * solved[k * size + t] }
                solved[i * size + t] = own > 0 ? sum / own : 0
            }
            for s in 0..<size { for t in 0..<size { result[s * size + t] += sign * solved[i * size + s] * solved[i * size + t] } }
        }
        return result
    }

    private func logDeterminant(_ a: [Double], _ size: Int) -> Double {
        if size == 1 { return log(max(a[0], Elimination.least)) }
        var factor = a, total = 0.0
        for i in 0..<size {
            for j in 0...i {
                var sum = factor[i * size + j]
                for k in 0..<j { sum -= factor[i * size + k] * factor[j * size + k] }
                if i == j {
                    let pivot = max(sum, Elimination.least)
                    factor[i * size + i] = pivot.squareRoot()
                    total += log(pivot)
                } else {
                    factor[i * size + j] = sum / factor[j * size + j]
                }
            }
        }
        return total
    }
}
