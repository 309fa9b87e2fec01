internal import CausalKernels
internal import Glibc

/// A network of one output that is fitted to rows by the Levenberg-Marquardt method, while its weight decays become those for which the rows are
/// most probable: the evidence framework (MacKay 1992, "A practical Bayesian framework for backpropagation networks"; Bishop 2006, "Pattern
/// Recognition and Machine Learning", equations 5.175 to 5.180) in the Gauss-Newton form of Foresee and Hagan (1997). Every input has a decay of its
/// own, so that one which says nothing is not heard (automatic relevance determination, Neal 1996), and so have the biases and the weights of each
/// further layer.
///
/// It minimises `β Σ residual² + Σ α weight²`, where `1 / β` is the variance of the noise and `1 / α` that of the weights, before they were learned.
struct EvidenceFit {
    private(set) var weights: [Double]
    private(set) var isFinished = false
    /// The last step is taken, but what the rows say of it not yet measured.
    private var hasConverged = false
    /// Steps taken.
    private(set) var steps = 0

    private let network: ColumnNetwork
    private let rows: RegressionRows
    /// By weight, whose decay it has.
    private let groups: [Int]
    private(set) var decays: [Double]
    private(set) var noisePrecision: Double
    /// Marquardt's: how far a step leans from Newton's direction towards the gradient's.
    private var damping = 0.01
    private var refusals = 0
    private var slowSteps = 0

    /// Of the residuals' derivatives and, in the last row, the residuals themselves: the lower triangle of `[J r]ᵀ [J r]`.
    private var gram: [Double]
    private var squaredError = Double.infinity
    private var proposal: [Double] = []
    /// All rows are gone through, a block at a time, either for `gram` or for the error of what is proposed.
    private var isProposing = false
    private var nextBlock = 0
    private var sum = 0.0

    /// What is gained in a step, in units of log probability, from which on a fit is nearly done.
    private static let leastGain = 0.01
    private static let enoughSlowSteps = 4
    private static let mostRefusals = 12
    private static let mostSteps = 200
    private static let stepsBetweenDecays = 3
    /// From weights that may be tens to weights that are not there.
    private static let possibleDecays = 1e-3...1e6

    init(_ network: ColumnNetwork, _ rows: RegressionRows, from weights: [Double], decays: [Double]? = nil, noisePrecision: Double = 1) {
        self.network = network
        self.rows = rows
        self.weights = weights
        self.noisePrecision = noisePrecision
        groups = network.decayGroups
        self.decays = decays ?? [Double](repeating: 0.01, count: groups.max()! + 1)
        gram = [Double](repeating: 0, count: (weights.count + 1) * (weights.count + 1))
    }

    /// The same network with what was learned, on other rows.
    func going(on rows: RegressionRows) -> EvidenceFit {
        EvidenceFit(network, rows, from: weights, decays: decays, noisePrecision: noisePrecision)
    }

    /// Goes on until it is finished, or for about as long as is said.
    mutating func run(until end: Double) throws(EngineError) {
        while !isFinished {
            guard try goThroughRows(until: end) else { return }
            if isProposing {
                judge()
            } else {
                squaredError = gram[gram.count - 1]
                guard !hasConverged else { return isFinished = true }
                if steps % EvidenceFit.stepsBetweenDecays == 0, steps > 0 { updateDecays() }
                propose()
            }
        }
    }

    /// The logarithm of the probability of the rows with these decays (equation 5.175), but for what is the same for all networks.
    func evidence() -> Double {
        guard let factor = cholesky(damped: 0) else { return -.infinity }
        let width = weights.count
        var sum = -0.5 * (noisePrecision * squaredError + penalty(weights)) + 0.5 * Double(rows.count) * log(noisePrecision)
        for k in 0..<width { sum += 0.5 * log(decays[groups[k]]) - log(factor[k * width + k]) }
        return sum
    }

    // MARK: Going through the rows

    /// False where time ran out before the end.
    private mutating func goThroughRows(until end: Double) throws(EngineError) -> Bool {
        let width = weights.count, columns = network.traceColumns + 1
        if nextBlock == 0 {
            sum = 0
            if !isProposing { gram.withUnsafeMutableBufferPointer { $0.update(repeating: 0) } }
        }
        try withColumns(columns + (isProposing ? 0 : width + 1), rows: RegressionRows.blockRows, Double.self) { memory throws(EngineError) in
            while nextBlock < rows.blocks {
                let block = rows[nextBlock]
                let room = Columns(memory.pointer, rows: block.rows)
                let trace = network.trace(in: room), output = room.from(network.traceColumns)
                (isProposing ? proposal : weights).withUnsafeBufferPointer {
                    network.forward(block, $0.baseAddress!, trace, into: output)
                }
                let residual = output[0], target = block[rows.inputs]
                for i in 0..<block.wholeRows { residual[i] = i < block.rows ? residual[i] - target[i] : 0 }
                if isProposing {
                    for i in 0..<block.rows { sum += residual[i] * residual[i] }
                } else {
                    let jacobian = room.from(columns)
                    weights.withUnsafeBufferPointer { network.jacobian(block, $0.baseAddress!, trace, into: jacobian) }
                    jacobian[width].update(from: residual, count: block.wholeRows)
                    gram.withUnsafeMutableBufferPointer {
                        Double.syrk(jacobian.pointer, rows: width + 1, depth: block.wholeRows, stride: jacobian.stride, addingTo: $0.baseAddress!)
                    }
                }
                nextBlock += 1
                if now() >= end { break }
            }
        }
        guard nextBlock == rows.blocks else { return false }
        nextBlock = 0
        return true
    }

    // MARK: Steps

    private func penalty(_ weights: [Double]) -> Double {
        var sum = 0.0
        for k in 0..<weights.count { sum += decays[groups[k]] * weights[k] * weights[k] }
        return sum
    }

    /// `(β JᵀJ + α + damping) δ = -(β Jᵀr + α w)`.
    private mutating func propose() {
        let width = weights.count
        guard let factor = cholesky(damped: damping) else { return refuse() }
        var step = (0..<width).map { -(noisePrecision * gram[width * (width + 1) + $0] + decays[groups[$0]] * weights[$0]) }
        guard Double.potrs(CChar(UInt8(ascii: "U")), Int32(width), factor, &step) == 0, step.allSatisfy(\.isFinite) else { return refuse() }
        proposal = zip(weights, step).map { $0 + $1 }
        isProposing = true
    }

    private mutating func judge() {
        isProposing = false
        let gain = noisePrecision * (squaredError - sum) + penalty(weights) - penalty(proposal)
        guard gain >= 0 else { return refuse() }
        weights = proposal
        steps += 1
        refusals = 0
        damping = max(damping / 5, 1e-9)
        slowSteps = gain < 2 * EvidenceFit.leastGain ? slowSteps + 1 : 0
        hasConverged = slowSteps >= EvidenceFit.enoughSlowSteps || steps >= EvidenceFit.mostSteps
    }

    /// Tries again, nearer.
    private mutating func refuse() {
        refusals += 1
        guard refusals < EvidenceFit.mostRefusals else { return isFinished = true }
        damping = max(damping * 4, 1e-6)
        propose()
    }

    /// `α = γ / Σ w²` of each group and `β = (rows - Σ γ) / Σ r²`, where γ are the weights that the rows determine (5.178 to 5.180).
    private mutating func updateDecays() {
        let width = weights.count
        guard var inverse = cholesky(damped: 0), Double.potri(CChar(UInt8(ascii: "U")), Int32(width), &inverse) == 0 else { return }
        var determined = [Double](repeating: 0, count: decays.count), lengths = determined
        for k in 0..<width {
            determined[groups[k]] += min(max(1 - decays[groups[k]] * inverse[k * width + k], 0), 1)
            lengths[groups[k]] += weights[k] * weights[k]
        }
        for group in 0..<decays.count {
            decays[group] = (max(determined[group], 1e-6) / max(lengths[group], 1e-12)).clamped(to: EvidenceFit.possibleDecays)
        }
        noisePrecision = max(Double(rows.count) - determined.reduce(0, +), 1) / max(squaredError, 1e-12 * Double(rows.count))
    }

    /// The lower triangular factor of the Hessian `β JᵀJ + α`, or nil. Damping is relative to the diagonal of its first part.
    private func cholesky(damped damping: Double) -> [Double]? {
        let width = weights.count
        var hessian = [Double](repeating: 0, count: width * width)
        for i in 0..<width {
            for j in 0...i { hessian[i * width + j] = noisePrecision * gram[i * (width + 1) + j] }
            hessian[i * width + i] += damping * max(hessian[i * width + i], 1e-8 * noisePrecision * Double(rows.count)) + decays[groups[i]]
        }
        return Double.potrf(CChar(UInt8(ascii: "U")), Int32(width), &hessian) == 0 ? hessian : nil
    }
}

extension ColumnNetwork {
    /// By parameter, whose decay it has: each input's weights, the biases of each layer, and the weights of each but the first.
    fileprivate var decayGroups: [Int] {
        var groups = [Int](repeating: 0, count: parameterCount), next = 0
        for (k, layer) in layers.enumerated() {
            for place in 0..<layer.outputs * layer.inputs { groups[layer.weight + place] = next + (k == 0 ? place % layer.inputs : 0) }
            next += k == 0 ? layer.inputs : 1
            for place in 0..<layer.outputs { groups[layer.bias + place] = next }
            next += 1
        }
        return groups
    }
}

extension Double {
    fileprivate func clamped(to range: ClosedRange<Double>) -> Double { Swift.min(Swift.max(self, range.lowerBound), range.upperBound) }
}
