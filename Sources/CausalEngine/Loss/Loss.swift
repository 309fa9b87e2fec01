/// A number that says how wrong a model is, together with its gradient. A loss is a description; `evaluate` gives it arguments, and
/// each kind looks at those it needs.
///
/// ```swift
/// let loss = Loss.sum([(1, .intervention(.mse)), (0.5, .counterfactual)])
/// let (value, gradients) = try loss.evaluate(.init(prediction: y, target: t, mask: mask))
/// ```
public indirect enum Loss: Sendable {
    /// How far one prediction is from one target.
    public enum Measure: String, CaseIterable, Sendable {
        /// `(prediction - target)²`.
        case mse
        /// `|prediction - target|`.
        case mae
        /// Logits (n, classes) against class indices (n, 1): `log sum exp(logits) - logits[class]`, one loss a row.
        case crossEntropy = "cross_entropy"
    }

    /// The mean over all entries of (prediction, target).
    case standard(Measure)
    /// The mean over the entries that do() left alone: `sum(loss m) / max(sum m, 1)` with `m = (mask == 0)`, broadcast as numpy
    /// does. A prediction that was set teaches nothing. Without a mask it is the standard loss.
    case intervention(Measure)
    /// Mean squared error of (prediction, target) plus that of (counterfactual prediction, counterfactual target).
    case counterfactual
    /// Mean squared error between the prediction and the values it was set to, over the set entries; 0 where there are none.
    case consistency
    /// lambda times the sum of absolute values of a model's weights, not its biases.
    case regularization(Double)
    /// A weighted sum. Its counterfactual terms count only where both counterfactual arguments are given.
    case sum([(weight: Double, loss: Loss)])

    /// Whether the gradient with respect to a model's parameters is not always zero.
    var dependsOnParameters: Bool {
        switch self {
        case .regularization: true
        case .sum(let terms): terms.contains { $0.loss.dependsOnParameters }
        default: false
        }
    }

    /// Whether targets of set outputs are not looked at.
    var ignoresIntervened: Bool {
        switch self {
        case .intervention: true
        case .standard, .counterfactual: false
        case .consistency, .regularization: true
        case .sum(let terms): terms.allSatisfy { term in
            // Without counterfactual arguments, as in training, that term does not count.
            if case .counterfactual = term.loss { true } else { term.loss.ignoresIntervened }
        }
        }
    }
}
