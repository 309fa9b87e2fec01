public import CausalKernels

/// How a variable comes about from its causes and from noise: `value = f(parents, noise)`. A network turns the parents into a few numbers,
/// the head, and a `NoiseLaw` says how these and the noise make the value.
public enum Mechanism: Hashable, Sendable {
    /// Chosen among those that fit the variable by the likelihood of rows held out.
    case automatic
    /// A weighted sum of the parents plus noise of any shape; for a categorical variable, logistic regression.
    case linear
    /// `f(parents) + noise`, the noise of any shape.
    case additive(hidden: [Int] = Mechanism.usualHidden, activation: Activation = .gelu)
    /// The same with a small network, which is as smooth as the rows allow: their evidence decides its weight decays (`EvidenceTrainer`).
    case smooth(hidden: [Int] = Mechanism.fewHidden, activation: Activation = .gelu)
    /// `location(parents) + scale(parents) noise`, the noise of any shape.
    case locationScale(hidden: [Int] = Mechanism.usualHidden, activation: Activation = .gelu)
    /// A monotone function of Gaussian noise whose shape the parents decide: a rational-quadratic spline in so many pieces
    /// (Durkan, Bekasov, Murray and Papamakarios 2019, "Neural spline flows").
    case flow(hidden: [Int] = Mechanism.usualHidden, activation: Activation = .gelu, pieces: Int = 8)
    /// The level with the largest of `logits(parents) + Gumbel noise`: for categorical variables.
    case softmax(hidden: [Int] = Mechanism.usualHidden, activation: Activation = .gelu)
    /// `formula(parents) + noise`: known, and not learned; the noise is that of the rows seen.
    case given(Formula)

    public static let usualHidden = [64, 64]
    /// Of a smooth mechanism.
    public static let fewHidden = [12]

    /// How noise enters it, for a variable of this kind.
    package func noiseLaw(_ kind: Variable.Kind) -> NoiseLaw {
        if case .categorical(let levels) = kind { return .gumbel(levels: levels) }
        return switch self {
        case .automatic, .linear, .additive, .smooth, .softmax, .given: .additive
        case .locationScale: .locationScale
        case .flow(_, _, let pieces): .spline(pieces: pieces)
        }
    }

    /// Whether it learns by steps down a loss, to which terms may be added.
    var learnsByDescent: Bool {
        if case .smooth = self { false } else { true }
    }

    /// The network from the code of the parents to the head.
    func network(inputs: Int, head: Int) throws(EngineError) -> Network {
        switch self {
        case .automatic, .linear, .given: try .mlp(inputs: inputs, hidden: [], outputs: head)
        case .additive(let hidden, let activation), .smooth(let hidden, let activation), .locationScale(let hidden, let activation),
             .flow(let hidden, let activation, _), .softmax(let hidden, let activation):
            try .mlp(inputs: inputs, hidden: hidden, outputs: head, activation: activation)
        }
    }

    func validate(for variable: Variable) throws(EngineError) {
        let isCategorical = variable.kind != .real
        switch self {
        case .automatic, .linear: break
        case .softmax: guard isCategorical else { throw misfit(variable, "a real variable") }
        case .additive, .smooth, .locationScale, .flow, .given: guard !isCategorical else { throw misfit(variable, "a categorical variable") }
        }
        if case .flow(_, _, let pieces) = self, !(2...64).contains(pieces) {
            throw EngineError(.value, "mechanism of \(variable.name): a flow of \(pieces) pieces, expected 2 to 64")
        }
    }

    /// What C and Python call it.
    package var name: String {
        switch self {
        case .automatic: "auto"
        case .linear: "linear"
        case .additive: "additive"
        case .smooth: "smooth"
        case .locationScale: "location_scale"
        case .flow: "flow"
        case .softmax: "softmax"
        case .given: "given"
        }
    }

    private func misfit(_ variable: Variable, _ what: String) -> EngineError {
        let fitting = variable.kind == .real ? "auto, linear, additive, smooth, location_scale or flow" : "auto, linear or softmax"
        return EngineError(.value, "mechanism of \(variable.name): \(name) for \(what), expected \(fitting)")
    }
}
