internal import CausalKernels

/// A correlation matrix from which parents have been taken one after the other: their Cholesky factor over all variables, and its inverse. Sets that
/// are asked for one after the other differ by a parent or two, so what they share is kept (the rank-one updates of FLOP, Wienöbst et al. 2025).
final class Elimination {
    /// What a variance must have left, of 1, to count as one: what is less is a linear function of the parents, but for rounding.
    static let least = 1e-10

    let count: Int
    private let stride: Int
    private var matrix: UnsafePointer<Double>?
    /// The parents in the order in which they were taken.
    private(set) var sequence: [Int] = []
    private var capacity = 16
    /// A row for each parent, of `stride`.
    private var basis: UnsafeMutablePointer<Double>
    /// A lower triangle, in rows of `capacity`.
    private var inverse: UnsafeMutablePointer<Double>
    private let coefficients: UnsafeMutablePointer<Double>
    /// What is left of the variances, and of the covariances with the target.
    let variances: UnsafeMutablePointer<Double>
    let covariances: UnsafeMutablePointer<Double>

    init(count: Int, stride: Int) {
        self.count = count
        self.stride = stride
        basis = .allocate(capacity: capacity * stride)
        inverse = .allocate(capacity: capacity * capacity)
        coefficients = .allocate(capacity: count + 1)
        variances = .allocate(capacity: stride)
        covariances = .allocate(capacity: stride)
    }

    deinit {
        basis.deallocate()
        inverse.deallocate()
        coefficients.deallocate()
        variances.deallocate()
        covariances.deallocate()
    }

    /// Takes `parents` away from `matrix`, of which `target` is the child.
    func take(_ parents: UnsafeBufferPointer<UInt16>, from matrix: UnsafePointer<Double>, target: Int) {
        if matrix != self.matrix { sequence.removeAll(keepingCapacity: true) }
        self.matrix = matrix
        let kept = sequence.firstIndex { !parents.contains(UInt16($0)) } ?? sequence.count
        sequence.removeSubrange(kept...)
        if parents.count > capacity { grow(to: max(2 * capacity, parents.count)) }

        for j in 0..<stride { variances[j] = 1 }
        covariances.update(from: matrix + target * stride, count: stride)
        for k in 0..<kept { subtract(row: k, target: target) }
        for parent in parents where !sequence.prefix(kept).contains(Int(parent)) { take(Int(parent), from: matrix, target: target) }
    }

    private func subtract(row: Int, target: Int) {
        let row = basis + row * stride, own = row[target]
        for j in 0..<stride {
            variances[j] -= row[j] * row[j]
            covariances[j] -= row[j] * own
        }
    }

    private func take(_ parent: Int, from matrix: UnsafePointer<Double>, target: Int) {
        let k = sequence.count, left = variances[parent]
        let scale = left > Self.least ? 1 / left.squareRoot() : 0
        for i in 0..<k { coefficients[i] = basis[i * stride + parent] }
        Double.kernels.eliminate(matrix + parent * stride, basis: basis, stride: stride, coefficients: coefficients, steps: k, scale: scale,
                                 target: covariances[parent] * scale, into: basis + k * stride, variances: variances, covariances: covariances, count: stride)
        // A parent of which nothing is left has a row of zeros, and a column.
        let row = inverse + k * capacity
        for i in 0..<k {
            var sum = 0.0
            for j in i..<k { sum -= coefficients[j] * inverse[j * capacity + i] }
            row[i] = sum * scale
        }
        row[k] = scale
        sequence.append(parent)
    }

    /// How much the variance of the target grows without the parent at a place of the sequence.
    func growth(without place: Int, target: Int) -> Double {
        var square = 0.0, weight = 0.0
        for i in place..<sequence.count {
            let element = inverse[i * capacity + place]
            square += element * element
            weight += element * basis[i * stride + target]
        }
        return square > 0 ? weight * weight / square : 0
    }

    /// What is left of the covariance of two variables.
    func left(_ a: Int, _ b: Int) -> Double {
        var sum = matrix.map { $0[a * stride + b] } ?? 0
        for k in sequence.indices { sum -= basis[k * stride + a] * basis[k * stride + b] }
        return sum
    }

    /// Of the inverse of the parents' own correlations, the block at some places of the sequence, and the weights of these parents in the regression
    /// of some variables: a row for each place.
    func regression(at places: [Int], of targets: [Int]) -> (inverse: [Double], weights: [Double]) {
        let size = places.count
        var block = [Double](repeating: 0, count: size * size), weights = [Double](repeating: 0, count: size * targets.count)
        for (a, first) in places.enumerated() {
            for (b, second) in places.enumerated() {
                for i in max(first, second)..<sequence.count { block[a * size + b] += inverse[i * capacity + first] * inverse[i * capacity + second] }
            }
            for (t, target) in targets.enumerated() {
                for i in first..<sequence.count { weights[a * targets.count + t] += inverse[i * capacity + first] * basis[i * stride + target] }
            }
        }
        return (block, weights)
    }

    private func grow(to larger: Int) {
        let rows = UnsafeMutablePointer<Double>.allocate(capacity: larger * stride), triangle = UnsafeMutablePointer<Double>.allocate(capacity: larger * larger)
        for k in sequence.indices {
            (rows + k * stride).update(from: basis + k * stride, count: stride)
            (triangle + k * larger).update(from: inverse + k * capacity, count: capacity)
        }
        basis.deallocate()
        inverse.deallocate()
        basis = rows
        inverse = triangle
        capacity = larger
    }
}
