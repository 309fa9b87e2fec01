public import CausalKernels

/// What a loss may look at, as addresses.
package struct LossArguments<Scalar: EngineScalar> {
    package var prediction: MatrixView<Scalar>?
    package var target: MatrixView<Scalar>?
    package var mask: MatrixView<UInt8>?
    package var values: MatrixView<Scalar>?
    /// Of the model whose prediction it is.
    package var inputs: MatrixView<Scalar>?
    package var counterfactualPrediction: MatrixView<Scalar>?
    package var counterfactualTarget: MatrixView<Scalar>?
    /// By row of the prediction the row of which it is the counterfactual, or -1; nil where none is.
    package var twins: UnsafePointer<Int>?
    package var parameters: UnsafePointer<Scalar>?
    package var layout: ParameterLayout?

    package init() {}

    package init(prediction: MatrixView<Scalar>, target: MatrixView<Scalar>) {
        self.prediction = prediction
        self.target = target
    }
}

/// Where the gradients go, of the shape of what they are the gradient of; nil where one is not wanted.
package struct LossGradientTargets<Scalar: EngineScalar> {
    package var prediction: UnsafeMutablePointer<Scalar>?
    package var counterfactualPrediction: UnsafeMutablePointer<Scalar>?
    package var parameters: UnsafeMutablePointer<Scalar>?

    package init() {}
}

extension Loss {
    /// What a loss may look at; give what it needs.
    public struct Arguments<Scalar: EngineScalar> {
        public var prediction: Matrix<Scalar>?
        public var target: Matrix<Scalar>?
        /// Which entries do() set, to be broadcast against the prediction.
        public var mask: [[Bool]]?
        /// What they were set to.
        public var values: Matrix<Scalar>?
        public var counterfactualPrediction: Matrix<Scalar>?
        public var counterfactualTarget: Matrix<Scalar>?
        /// Whose weights to regularize.
        public var model: Model<Scalar>?

        public init(prediction: Matrix<Scalar>? = nil, target: Matrix<Scalar>? = nil, mask: [[Bool]]? = nil, values: Matrix<Scalar>? = nil,
                    counterfactualPrediction: Matrix<Scalar>? = nil, counterfactualTarget: Matrix<Scalar>? = nil, model: Model<Scalar>? = nil) {
            self.prediction = prediction
            self.target = target
            self.mask = mask
            self.values = values
            self.counterfactualPrediction = counterfactualPrediction
            self.counterfactualTarget = counterfactualTarget
            self.model = model
        }
    }

    /// The gradient with respect to each argument that was given.
    public struct Gradients<Scalar: EngineScalar> {
        public var prediction: Matrix<Scalar>?
        public var counterfactualPrediction: Matrix<Scalar>?
        /// One a parameter of the model.
        public var parameters: [Scalar]?
    }

    /// The loss and its gradients.
    ///
    /// - Throws: `.missing` for an argument that this loss needs, `.shape` where shapes do not fit (both are named) or there are no
    ///   entries, `.value` for a class index that is no whole number below the number of classes.
    public func evaluate<Scalar: EngineScalar>(_ arguments: Arguments<Scalar>) throws(EngineError) -> (value: Double, gradients: Gradients<Scalar>) {
        var views = LossArguments<Scalar>(), targets = LossGradientTargets<Scalar>()
        var kept: [AnyObject] = []
        func view(_ matrix: Matrix<Scalar>?) throws(EngineError) -> MatrixView<Scalar>? {
            guard let matrix else { return nil }
            let storage = try Storage<Scalar>(count: matrix.elements.count, of: "loss argument")
            for (i, element) in matrix.elements.enumerated() { storage.pointer[i] = element }
            kept.append(storage)
            return MatrixView(storage.pointer, rows: matrix.rows, columns: matrix.columns)
        }
        func gradient(_ count: Int?) throws(EngineError) -> Storage<Scalar>? {
            guard let count else { return nil }
            return try Storage(count: count, of: "gradient of a loss")
        }
        views.prediction = try view(arguments.prediction)
        views.target = try view(arguments.target)
        views.values = try view(arguments.values)
        views.counterfactualPrediction = try view(arguments.counterfactualPrediction)
        views.counterfactualTarget = try view(arguments.counterfactualTarget)
        if let mask = arguments.mask {
            let columns = mask.first?.count ?? 0
            guard mask.allSatisfy({ $0.count == columns }) else { throw EngineError(.shape, "loss: the mask's rows differ in length") }
            let storage = try Storage<UInt8>(count: mask.count * columns, of: "mask")
            for (i, isSet) in mask.joined().enumerated() { storage.pointer[i] = isSet ? 1 : 0 }
            kept.append(storage)
            views.mask = MatrixView(storage.pointer, rows: mask.count, columns: columns)
        }
        if let model = arguments.model {
            views.parameters = UnsafePointer(try model.resolve(nil).pointer)
            views.layout = model.layout
        }
        let prediction = try gradient(arguments.prediction?.elements.count)
        let counterfactual = try gradient(arguments.counterfactualPrediction?.elements.count)
        let parameters = try gradient(arguments.model?.layout.count)
        targets.prediction = prediction?.pointer
        targets.counterfactualPrediction = counterfactual?.pointer
        targets.parameters = parameters?.pointer

        var scratch: [Scalar] = []
        let value = try evaluate(views, into: targets, scratch: &scratch)
        withExtendedLifetime(kept) {}
        func matrix(_ storage: Storage<Scalar>?, like shape: Matrix<Scalar>?) throws(EngineError) -> Matrix<Scalar>? {
            guard let storage, let shape else { return nil }
            return try Matrix(rows: shape.rows, columns: shape.columns, Array(storage.buffer))
        }
        return (value, Gradients(prediction: try matrix(prediction, like: arguments.prediction),
                                 counterfactualPrediction: try matrix(counterfactual, like: arguments.counterfactualPrediction),
                                 parameters: parameters.map { Array($0.buffer) }))
    }
}
