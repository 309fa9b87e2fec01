internal import CausalKernels
internal import Synchronization

/// Trains a small network of one output as `EvidenceFit` says. Of several starts on few rows the one of the largest evidence goes on, on all rows: such
/// networks have optima that are not the best.
final class EvidenceTrainer<Scalar: EngineScalar>: @unchecked Sendable {
    private let network: ColumnNetwork
    private let parameters: Parameters<Scalar>
    private let few: RegressionRows
    private let all: RegressionRows
    private let seed: UInt64
    private var start = 0
    private var best: (fit: EvidenceFit, evidence: Double)?
    private var fit: EvidenceFit
    private let isCancelled = Atomic<Bool>(false)
    private(set) var isFinished = false
    /// Of all rows.
    private(set) var evidence = -Double.infinity

    private static var starts: Int { 4 }
    private static var fewRows: Int { 2_000 }
    /// Its time grows with their number squared, times the rows.
    static var mostWeights: Int { 1_000 }

    init(_ model: Model<Scalar>, _ parameters: Parameters<Scalar>, on data: Dataset<Scalar>, seed: UInt64) throws(EngineError) {
        guard let network = model.plan.columns, network.outputs == 1, model.layout.count <= EvidenceTrainer.mostWeights else {
            throw EngineError(.value, "a smooth mechanism with \(model.layout.count) weights, expected at most \(EvidenceTrainer.mostWeights): "
                + "fewer hidden units, or \"additive\"")
        }
        self.network = network
        self.parameters = parameters
        self.seed = seed
        all = try RegressionRows(data)
        var chosen = Array(0..<data.x.rows)
        if chosen.count > 2 * EvidenceTrainer.fewRows {
            var random = Random(seed: seed, purpose: .shuffling, index: 0)
            random.shuffle(&chosen)
            few = try RegressionRows(data, rows: Array(chosen.prefix(EvidenceTrainer.fewRows)))
        } else {
            few = all
        }
        fit = EvidenceFit(network, few, from: network.randomWeights(seed: seed, start: 0))
    }

    /// 0 to 1.
    var progress: Double {
        if isFinished { return 1 }
        let steps = 1 - 1 / (1 + Double(fit.steps) / 20)
        return start < EvidenceTrainer.starts ? (Double(start) + steps) / Double(EvidenceTrainer.starts + 2) : (Double(start) + 2 * steps) / Double(EvidenceTrainer.starts + 2)
    }

    func run(until end: Double) throws(EngineError) {
        while !isFinished, !isCancelled.load(ordering: .relaxed) {
            try fit.run(until: end)
            guard fit.isFinished else { return }
            let evidence = fit.evidence()
            if start < EvidenceTrainer.starts {
                if best.map({ evidence > $0.evidence }) ?? true { best = (fit, evidence) }
                start += 1
                fit = start < EvidenceTrainer.starts ? EvidenceFit(network, few, from: network.randomWeights(seed: seed, start: start)) : best!.fit.going(on: all)
            } else {
                self.evidence = evidence
                parameters.withMutablePointer { Scalar.narrow(fit.weights, into: $0, count: fit.weights.count) }
                isFinished = true
            }
        }
    }

    func cancel() { isCancelled.store(true, ordering: .relaxed) }
}

extension ColumnNetwork {
    /// Gaussian, so that standardised inputs bend the hidden units where rows are.
    fileprivate func randomWeights(seed: UInt64, start: Int) -> [Double] {
        var random = Random(seed: seed, purpose: .initialization, index: start)
        var weights = [Double](repeating: 0, count: layers.reduce(0) { $0 + $1.outputs * ($1.inputs + 1) })
        for (k, layer) in layers.enumerated() {
            for place in 0..<layer.outputs * layer.inputs { weights[layer.weight + place] = random.gaussian() / Double(layer.inputs).squareRoot() }
            guard k < layers.count - 1 else { break }
            for place in 0..<layer.outputs { weights[layer.bias + place] = random.gaussian() }
        }
        return weights
    }
}
