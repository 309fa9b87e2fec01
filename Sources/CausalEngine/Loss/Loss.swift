/// A number that says how wrong a model is, together with its gradient. A loss is a description; `evaluate` gives it arguments, and
/// each kind looks at those it needs.
///
/// ```swift
/// let loss = try Loss.sum([(1, .intervention(.mse)), (0.5, .counterfactual)])
/// let (value, gradients) = try loss.evaluate(.init(prediction: y, target: t, mask: mask))
/// ```
///
/// Every loss is a weighted sum of terms, each of another kind: a sum of sums is as flat, and as short, as any other.
public struct Loss: Sendable {
    /// How far one prediction is from one target.
    public enum Measure: String, CaseIterable, Sendable {
        /// `(prediction - target)²`.
        case mse
        /// `|prediction - target|`.
        case mae
        /// Logits (n, classes) against class indices (n, 1): `log sum exp(logits) - logits[class]`, one loss a row.
        case crossEntropy = "cross_entropy"
    }

    enum Kind: Hashable, Sendable {
        case standard(Measure)
        case intervention(Measure)
        /// In a sum it is not required, and counts only where both counterfactual arguments are given.
        case counterfactual(isRequired: Bool)
        case consistency
        case regularization
        case likelihood(NoiseLaw)
        case independence
        case residualIndependence(NoiseLaw)
        case twinPrediction(NoiseLaw)
        /// By column of the input, its group.
        case parentSparsity([Int])
    }

    struct Term: Sendable {
        let kind: Kind
        var weight: Double
    }

    /// Each of another kind.
    private(set) var terms: [Term]

    /// A sum of nothing yet.
    package init() { terms = [] }

    private init(_ kind: Kind, weight: Double = 1) { terms = [Term(kind: kind, weight: weight)] }

    /// The mean over all entries of (prediction, target).
    public static func standard(_ measure: Measure) -> Loss { Loss(.standard(measure)) }

    /// The mean over the entries that do() left alone: `sum(loss m) / max(sum m, 1)` with `m = (mask == 0)`, broadcast as numpy
    /// does. A prediction that was set teaches nothing. Without a mask it is the standard loss.
    public static func intervention(_ measure: Measure) -> Loss { Loss(.intervention(measure)) }

    /// Mean squared error of (prediction, target) plus that of (counterfactual prediction, counterfactual target).
    public static let counterfactual = Loss(.counterfactual(isRequired: true))

    /// Mean squared error between the prediction and the values it was set to, over the set entries; 0 where there are none.
    public static let consistency = Loss(.consistency)

    /// The mean of minus the log density of the target (n, 1) under a mechanism whose head is the prediction (n, head width).
    package static func likelihood(_ law: NoiseLaw) -> Loss { Loss(.likelihood(law)) }

    /// How far the prediction (n, p) is from independent of the target (n, q): the Hilbert-Schmidt criterion of Gretton et al. (2005), with Gaussian kernels
    /// of standardised columns. Of residuals and causes, 0 but for chance where the model is right.
    public static let independence = Loss(.independence)

    /// The same of the noise of a mechanism, whose head is the prediction and whose value is the target (n, 1), and the network's inputs.
    package static func residualIndependence(_ law: NoiseLaw) -> Loss { Loss(.residualIndependence(law)) }

    /// How wrong the mechanism's counterfactuals are: the mean over the rows that are counterfactuals of `(value - prediction)²`, where the prediction is made
    /// with the noise of the factual row; 0 where there are none.
    package static func twinPrediction(_ law: NoiseLaw) -> Loss { Loss(.twinPrediction(law)) }

    /// The sum over groups of inputs of the length of the weights that leave them.
    package static func parentSparsity(_ groups: [Int]) -> Loss { Loss(.parentSparsity(groups)) }

    /// lambda times the sum of absolute values of a model's weights, not its biases.
    public static func regularization(_ lambda: Double) -> Loss { Loss(.regularization, weight: lambda) }

    /// A weighted sum. Its counterfactual terms count only where both counterfactual arguments are given.
    ///
    /// - Throws: `.value` where a weight, or what the weights of one kind come to, is not finite.
    public static func sum(_ parts: [(weight: Double, loss: Loss)]) throws(EngineError) -> Loss {
        var sum = Loss()
        for part in parts { try sum.add(part.weight, times: part.loss) }
        return sum
    }

    /// Makes this a sum with one more part.
    package mutating func add(_ weight: Double, times loss: Loss) throws(EngineError) {
        for term in loss.terms {
            let kind = if case .counterfactual = term.kind { Kind.counterfactual(isRequired: false) } else { term.kind }
            let place = terms.firstIndex { $0.kind == kind } ?? terms.endIndex
            if place == terms.endIndex { terms.append(Term(kind: kind, weight: 0)) }
            terms[place].weight += weight * term.weight
            guard terms[place].weight.isFinite else {
                throw EngineError(.value, "sum of losses: a weight comes to \(terms[place].weight), expected a finite number")
            }
        }
    }

    /// Whether the gradient with respect to a model's parameters is not always zero.
    var dependsOnParameters: Bool {
        terms.contains { term in
            switch term.kind {
            case .regularization, .parentSparsity: true
            default: false
            }
        }
    }

    /// Whether targets of set outputs are not looked at.
    var ignoresIntervened: Bool {
        terms.allSatisfy { term in
            switch term.kind {
            case .standard, .likelihood, .independence, .residualIndependence, .twinPrediction: false
            // Without counterfactual arguments, as in training, it does not count unless it is required.
            case .counterfactual(let isRequired): !isRequired
            case .intervention, .consistency, .regularization, .parentSparsity: true
            }
        }
    }
}
