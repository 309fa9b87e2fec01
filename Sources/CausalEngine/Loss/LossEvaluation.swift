package import CausalKernels

extension Loss {
    /// The loss; the wanted gradients are overwritten. `scratch` is memory that may be kept for the next call.
    package func evaluate<Scalar: EngineScalar>(_ arguments: LossArguments<Scalar>, into targets: LossGradientTargets<Scalar>,
                                                scratch: inout [Scalar]) throws(EngineError) -> Double {
        try check(arguments, scratch: &scratch)
        if let target = targets.prediction, let view = arguments.prediction { target.update(repeating: 0, count: view.count) }
        if let target = targets.counterfactualPrediction, let view = arguments.counterfactualPrediction {
            target.update(repeating: 0, count: view.count)
        }
        if let target = targets.parameters, let layout = arguments.layout { target.update(repeating: 0, count: layout.count) }
        var sum = 0.0
        for term in terms where term.counts(arguments) { sum += try term.add(arguments, targets, &scratch) }
        return sum
    }
}

extension Loss.Term {
    /// The weighted loss; its gradients are added to the targets.
    fileprivate func add<Scalar: EngineScalar>(_ arguments: LossArguments<Scalar>, _ targets: LossGradientTargets<Scalar>,
                                               _ scratch: inout [Scalar]) throws(EngineError) -> Double {
        switch kind {
        case .standard(let measure):
            let pair = try Pair(measure, arguments.prediction, arguments.target)
            return weight * pair.mean(weights: nil, factor: weight, addingTo: targets.prediction)
        case .intervention(let measure):
            let pair = try Pair(measure, arguments.prediction, arguments.target)
            guard let mask = arguments.mask else { return weight * pair.mean(weights: nil, factor: weight, addingTo: targets.prediction) }
            mask.countUntouched(forEach: pair.entries, into: &scratch)
            return weight * pair.mean(weights: scratch, factor: weight, addingTo: targets.prediction)
        case .counterfactual:
            let factual = try Pair(.mse, arguments.prediction, arguments.target)
            let counterfactual = try Pair(.mse, arguments.counterfactualPrediction, arguments.counterfactualTarget, "counterfactual ")
            return weight * factual.mean(weights: nil, factor: weight, addingTo: targets.prediction)
                + weight * counterfactual.mean(weights: nil, factor: weight, addingTo: targets.counterfactualPrediction)
        case .consistency:
            return try weight * consistency(arguments, targets.prediction)
        case .likelihood(let law):
            return try weight * Likelihood(law, arguments).mean(factor: weight, addingTo: targets.prediction)
        case .independence:
            return try weight * Independence(arguments).value(factor: weight, addingTo: targets.prediction)
        case .residualIndependence(let law):
            return try weight * ResidualIndependence(law, arguments).value(factor: weight, addingTo: targets.prediction)
        case .twinPrediction(let law):
            return try weight * TwinPrediction(law, arguments).mean(factor: weight, addingTo: targets.prediction)
        case .parentSparsity(let groups):
            guard let parameters = arguments.parameters, let layout = arguments.layout else {
                throw EngineError(.missing, "sparsity loss: the model whose weights it looks at is missing")
            }
            return weight * layout.groupSparsity(groups, parameters, scale: weight, addingTo: targets.parameters)
        case .regularization:
            guard let parameters = arguments.parameters, let layout = arguments.layout else {
                throw EngineError(.missing, "regularization loss: the model whose weights it sums is missing")
            }
            var sum = 0.0
            for tensor in layout.tensors where tensor.isWeight {
                sum += Scalar.kernels.absoluteSum(parameters + tensor.offset, scale: weight,
                                                  addingTo: targets.parameters.map { $0 + tensor.offset }, count: tensor.count)
            }
            return weight * sum
        }
    }

    /// The mean of `(prediction - values)²` over the entries of the broadcast shape that the mask sets.
    private func consistency<Scalar: EngineScalar>(_ arguments: LossArguments<Scalar>, _ gradient: UnsafeMutablePointer<Scalar>?)
        throws(EngineError) -> Double {
        let given = try SetValues(arguments), (prediction, mask, values, shape) = (given.prediction, given.mask, given.values, given.shape)
        var count = 0, sum = 0.0
        shape.forEach { p, m, v in
            guard mask.pointer[m] != 0 else { return }
            let difference = Double(prediction.pointer[p] - values.pointer[v])
            count += 1
            sum += difference * difference
        }
        guard count > 0 else { return 0 }
        if let gradient {
            let scale = Scalar(2 * weight / Double(count))
            shape.forEach { p, m, v in
                if mask.pointer[m] != 0 { gradient[p] += scale * (prediction.pointer[p] - values.pointer[v]) }
            }
        }
        return sum / Double(count)
    }
}

/// A prediction beside its target, checked.
struct Pair<Scalar: EngineScalar> {
    let measure: Loss.Measure
    let prediction: MatrixView<Scalar>
    let target: MatrixView<Scalar>

    init(_ measure: Loss.Measure, _ prediction: MatrixView<Scalar>?, _ target: MatrixView<Scalar>?, _ which: String = "") throws(EngineError) {
        guard let prediction else { throw EngineError(.missing, "loss: the \(which)prediction is missing") }
        guard let target else { throw EngineError(.missing, "loss: the \(which)target is missing") }
        let expected = measure == .crossEntropy ? 1 : prediction.columns
        guard prediction.rows == target.rows, target.columns == expected else {
            throw EngineError(.shape, "loss: \(which)prediction of shape \(prediction.shape) against \(which)target of shape \(target.shape), "
                + (measure == .crossEntropy ? "expected one class index a row" : "expected equal shapes"))
        }
        guard prediction.rows > 0, prediction.columns > 0 else {
            throw EngineError(.shape, "loss: \(which)prediction of shape \(prediction.shape) has no entries, expected at least one")
        }
        self.measure = measure
        self.prediction = prediction
        self.target = target
    }

    /// The shape of the losses: one an entry, or one a row.
    var entries: (rows: Int, columns: Int) { (prediction.rows, measure == .crossEntropy ? 1 : prediction.columns) }

    /// The weighted mean of the losses, with `factor` times its gradient.
    func mean(weights: [Scalar]?, factor: Double, addingTo gradient: UnsafeMutablePointer<Scalar>?) -> Double {
        let total = weights.map { $0.reduce(0) { $0 + Double($1) } } ?? Double(entries.rows * entries.columns)
        let kernels = Scalar.kernels, scale = factor / max(total, 1), count = prediction.count
        func sum(_ weights: UnsafePointer<Scalar>?) -> Double {
            switch measure {
            case .mse: kernels.squaredError(prediction.pointer, target.pointer, weights: weights, scale: scale, gradient: gradient, accumulate: true, count: count)
            case .mae: kernels.absoluteError(prediction.pointer, target.pointer, weights: weights, scale: scale, gradient: gradient, accumulate: true, count: count)
            case .crossEntropy:
                kernels.crossEntropy(logits: prediction.pointer, classes: target.pointer, weights: weights, scale: scale, gradient: gradient,
                                     accumulate: true, rows: prediction.rows, columns: prediction.columns)
            }
        }
        guard let weights else { return sum(nil) / max(total, 1) }
        return weights.withUnsafeBufferPointer { sum($0.baseAddress) } / max(total, 1)
    }

    /// - Throws: `.value` for a class index of any weight that is no whole number below the number of classes.
    func checkClasses(_ weights: [Scalar]?) throws(EngineError) {
        guard measure == .crossEntropy else { return }
        for row in 0..<target.rows where weights.map({ $0[row] != 0 }) ?? true {
            let index = target.pointer[row]
            guard index >= 0, index < Scalar(prediction.columns), index == index.rounded(.down) else {
                throw EngineError(.value, "cross-entropy loss: class \(index) in row \(row), expected a whole number from 0 to \(prediction.columns - 1)")
            }
        }
    }
}

extension MatrixView where Element == UInt8 {
    /// - Throws: `.shape` where mask and losses cannot be broadcast together.
    func check(against entries: (rows: Int, columns: Int)) throws(EngineError) {
        _ = try Broadcast("intervention loss", [("losses", entries.rows, entries.columns), ("mask", rows, columns), ("", 1, 1)])
    }

    /// For each entry the number of mask elements that broadcasting pairs it with and that leave it alone. Counted in whole numbers:
    /// adding ones to a Float ends at 2^24.
    func countUntouched<Scalar: EngineScalar>(forEach entries: (rows: Int, columns: Int), into weights: inout [Scalar]) {
        // The part of the mask that one entry is stretched over.
        let down = entries.rows == 1 ? rows : 1, across = entries.columns == 1 ? columns : 1
        weights.removeAll(keepingCapacity: true)
        weights.reserveCapacity(entries.rows * entries.columns)
        for i in 0..<entries.rows {
            for j in 0..<entries.columns {
                let first = pointer + (rows == 1 ? 0 : i) * columns + (columns == 1 ? 0 : j)
                var count = 0
                for row in 0..<down {
                    for column in 0..<across where first[row * columns + column] == 0 { count += 1 }
                }
                weights.append(Scalar(count))
            }
        }
    }
}
