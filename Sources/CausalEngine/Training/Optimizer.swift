public import CausalKernels
internal import Synchronization

/// How to go downhill: formulas and order of operations as in `torch.optim`.
public struct OptimizerOptions: Sendable {
    public enum Method: Sendable, Hashable {
        /// `m = momentum m + g; p -= rate m`.
        case sgd(momentum: Double)
        /// Kingma and Ba 2015, algorithm 1; weight decay is an L2 term in the gradient.
        case adam(beta1: Double, beta2: Double, epsilon: Double)
        /// Loshchilov and Hutter 2019: Adam with weight decay beside the gradient.
        case adamW(beta1: Double, beta2: Double, epsilon: Double)

        public static let adam = Method.adam(beta1: 0.9, beta2: 0.999, epsilon: 1e-8)
        public static let adamW = Method.adamW(beta1: 0.9, beta2: 0.999, epsilon: 1e-8)
    }

    public var method: Method
    public var learningRate: Double
    public var weightDecay: Double
    /// The largest norm of the whole gradient, which is scaled down to it; nil where it is not clipped.
    public var clipNorm: Double?

    public init(_ method: Method = .adam, learningRate: Double = 0.01, weightDecay: Double = 0, clipNorm: Double? = nil) {
        self.method = method
        self.learningRate = learningRate
        self.weightDecay = weightDecay
        self.clipNorm = clipNorm
    }

    fileprivate func validate() throws(EngineError) {
        func expect(_ value: Double, _ name: String, below bound: Double = .infinity) throws(EngineError) {
            guard value >= 0, value < bound else {
                throw EngineError(.value, "optimizer: \(name) is \(value), expected 0 or more" + (bound.isFinite ? " and below \(bound)" : ", finite"))
            }
        }
        try expect(learningRate, "learning rate")
        try expect(weightDecay, "weight decay")
        if let clipNorm, !(clipNorm > 0) { throw EngineError(.value, "optimizer: clip norm is \(clipNorm), expected above 0") }
        switch method {
        case .sgd(let momentum): try expect(momentum, "momentum")
        case .adam(let beta1, let beta2, let epsilon), .adamW(let beta1, let beta2, let epsilon):
            try expect(beta1, "beta1", below: 1)
            try expect(beta2, "beta2", below: 1)
            try expect(epsilon, "epsilon")
        }
    }
}

/// An update rule over a flat parameter buffer, with its memory of former steps.
public final class Optimizer<Scalar: EngineScalar> {
    public private(set) var options: OptimizerOptions
    public let count: Int
    private var steps = 0
    /// The momentum, or the running mean of the gradient.
    private let mean: Storage<Scalar>?
    /// The running mean of its square.
    private let variance: Storage<Scalar>?

    /// For `count` parameters.
    ///
    /// - Throws: `.value` for an option out of range.
    public init(_ options: OptimizerOptions, count: Int) throws(EngineError) {
        try options.validate()
        self.options = options
        self.count = count
        switch options.method {
        case .sgd(let momentum):
            mean = momentum > 0 ? try Storage(count: count, of: "optimizer") : nil
            variance = nil
        case .adam, .adamW:
            mean = try Storage(count: count, of: "optimizer")
            variance = try Storage(count: count, of: "optimizer")
        }
    }

    /// - Throws: `.value` for a rate that is negative or not finite.
    public func setLearningRate(_ rate: Double) throws(EngineError) {
        var options = options
        options.learningRate = rate
        try options.validate()
        self.options = options
    }

    /// Updates `parameters` along `gradients`, one a parameter in the order of the layout.
    ///
    /// - Throws: `.diverged` where a parameter would not be finite. All parameters are as they were then, but what it keeps of former gradients is of no use any more.
    public func step(_ parameters: Parameters<Scalar>, gradients: [Scalar]) throws(EngineError) {
        var gradients = gradients
        guard gradients.count == count else { throw EngineError(.shape, "optimizer: \(gradients.count) gradients, expected \(count)") }
        try gradients.withUnsafeMutableBufferPointer { buffer throws(EngineError) in
            try step(parameters, gradients: buffer.baseAddress ?? emptyAddress())
        }
    }

    /// The same on addresses. It uses the gradients up: in their place is afterwards what the parameters were before.
    package func step(_ parameters: Parameters<Scalar>, gradients: UnsafeMutablePointer<Scalar>) throws(EngineError) {
        guard parameters.count == count else { throw EngineError(.shape, "optimizer: \(parameters.count) parameters, expected \(count)") }
        let kernels = Scalar.kernels
        if let clipNorm = options.clipNorm {
            let norm = kernels.sumOfSquares(gradients, count: count).squareRoot()
            // As torch.nn.utils.clip_grad_norm_ does, with its guard against division by zero.
            let factor = clipNorm / (norm + 1e-6)
            if !(factor >= 1) { kernels.scale(gradients, by: Scalar(factor), count: count) }
        }
        steps += 1
        let isFinite = Atomic<Bool>(true)
        parameters.withMutablePointer { p in
            Threads.divide(count, cost: 40) { part in
                if !step(p, gradients, part) { isFinite.store(false, ordering: .relaxed) }
            }
        }
        guard !isFinite.load(ordering: .relaxed) else { return }
        let bad = kernels.firstNonFinite(parameters.pointer, count: count), value = parameters.pointer[bad]
        parameters.withMutablePointer { $0.update(from: gradients, count: count) }
        throw EngineError(.diverged, "optimizer: parameter \(bad) would be \(value); the parameters are as they were before the step")
    }

    /// Updates some of the parameters; whether they are finite then.
    private func step(_ p: UnsafeMutablePointer<Scalar>, _ gradients: UnsafeMutablePointer<Scalar>, _ part: Range<Int>) -> Bool {
        let kernels = Scalar.kernels, first = part.lowerBound, mean = mean.map { $0.pointer + first }, variance = variance.map { $0.pointer + first }
        switch options.method {
        case .sgd(let momentum):
            return kernels.stepSGD(p + first, gradient: gradients + first, momentum: mean, rate: options.learningRate, momentumFactor: momentum,
                                   decay: options.weightDecay, isFirst: steps == 1, count: part.count)
        case .adam(let beta1, let beta2, let epsilon), .adamW(let beta1, let beta2, let epsilon):
            var isDecoupled = false
            if case .adamW = options.method { isDecoupled = true }
            return kernels.stepAdam(p + first, gradient: gradients + first, mean: mean!, variance: variance!, step: steps, rate: options.learningRate,
                                    beta1: beta1, beta2: beta2, epsilon: epsilon, decay: options.weightDecay, decoupled: isDecoupled, count: part.count)
        }
    }
}
