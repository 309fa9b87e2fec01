internal import CausalKernels
internal import Glibc

/// Gates and the network behind them, learned together: minimises over both the expectation, over how the gates are drawn, of
///
///     -log likelihood / rows + sparsity * the gates expected open + ridge * the squares of weights
///         + strength * acyclicity of the gates' probabilities.
struct GateLearner<Scalar: EngineScalar> {
    let network: GatedNetwork<Scalar>
    var gates: Gates
    private var acyclicity: Acyclicity
    private let sparsity: Double
    private let ridge: Double

    private let weightOptimizer: Optimizer<Scalar>
    private let gateOptimizer: Optimizer<Double>
    /// With respect to the gates, to the matrix of their probabilities, and to the logits.
    private var gateGradient: [Double]
    private var cycleGradient: [Double]
    private(set) var logitGradient: [Double]
    private var probabilities: [Double]

    init(_ network: GatedNetwork<Scalar>, _ gates: Gates, sparsity: Double, ridge: Double, weightRate: Double, gateRate: Double) throws(EngineError) {
        self.network = network
        self.gates = gates
        self.sparsity = sparsity
        self.ridge = ridge
        acyclicity = Acyclicity(count: gates.count)
        weightOptimizer = try Optimizer(OptimizerOptions(.adam, learningRate: weightRate), count: network.parameters.count)
        gateOptimizer = try Optimizer(OptimizerOptions(.adam, learningRate: gateRate), count: gates.logits.count)
        gateGradient = [Double](repeating: 0, count: gates.count * gates.count)
        cycleGradient = gateGradient
        logitGradient = gateGradient
        probabilities = gateGradient
    }

    /// A scale for the acyclicity of the gates as they are.
    mutating func cycleScale() -> Double {
        probabilities = gates.probabilities
        return acyclicity.scale(for: probabilities)
    }

    /// The objective for one draw of the gates, whose gradients it writes to the network's and to `logitGradient`.
    mutating func objective(_ x: UnsafePointer<Scalar>, tells: UnsafePointer<Scalar>, rows: Int, draw: [Double], strength: Double,
                            cycleScale: Double) throws(EngineError) -> Double {
        gates.draw(draw)
        var value = network.evaluate(x, tells: tells, rows: rows, gates: gates.values, ridge: ridge, gateGradient: &gateGradient)
        probabilities = gates.probabilities
        if strength > 0 {
            value += strength * (try cycles(cycleScale))
        }
        for place in gates.kinds.indices {
            logitGradient[place] = 0
            guard gates.kinds[place] == .free else { continue }
            let p = probabilities[place], slope = p * (1 - p)
            value += sparsity * p
            logitGradient[place] = gateGradient[place] * gates.slopes[place] + sparsity * slope
            if strength > 0 { logitGradient[place] += strength * cycleGradient[place] * slope }
        }
        return value
    }

    private mutating func cycles(_ scale: Double) throws(EngineError) -> Double {
        let acyclicity = acyclicity
        return try probabilities.withUnsafeBufferPointer { a throws(EngineError) in
            try cycleGradient.withUnsafeMutableBufferPointer { gradient throws(EngineError) in
                try acyclicity(a.baseAddress ?? emptyAddress(), scale: scale, gradient: gradient.baseAddress ?? emptyAddress())
            }
        }
    }

    /// One step along the gradients of `objective`.
    mutating func step() throws(EngineError) {
        try weightOptimizer.step(network.parameters, gradients: network.gradient.pointer)
        network.keepScalesAbove()
        try gateOptimizer.step(gates.logits, gradients: logitGradient)
    }
}
