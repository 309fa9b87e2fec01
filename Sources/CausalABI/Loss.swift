public import CCausal
internal import CausalEngine
internal import CausalKernels

final class LossObject: Handled {
    static let kind = Kind.loss
    let loss: Loss
    init(_ loss: Loss) { self.loss = loss }
}

@_cdecl("causal_loss_create_standard") @implementation
public func causal_loss_create_standard(_ loss: UnsafeMutablePointer<OpaquePointer?>?, _ type: UnsafePointer<CChar>?) -> causal_status {
    create(loss) { .standard(try measure(type)) }
}

@_cdecl("causal_loss_create_intervention") @implementation
public func causal_loss_create_intervention(_ loss: UnsafeMutablePointer<OpaquePointer?>?, _ type: UnsafePointer<CChar>?,
                                            _ ignoreIntervened: Int32) -> causal_status {
    create(loss) { ignoreIntervened != 0 ? .intervention(try measure(type)) : .standard(try measure(type)) }
}

@_cdecl("causal_loss_create_counterfactual") @implementation
public func causal_loss_create_counterfactual(_ loss: UnsafeMutablePointer<OpaquePointer?>?) -> causal_status {
    create(loss) { .counterfactual }
}

@_cdecl("causal_loss_create_consistency") @implementation
public func causal_loss_create_consistency(_ loss: UnsafeMutablePointer<OpaquePointer?>?) -> causal_status {
    create(loss) { .consistency }
}

@_cdecl("causal_loss_create_regularization") @implementation
public func causal_loss_create_regularization(_ loss: UnsafeMutablePointer<OpaquePointer?>?, _ lambda: Double) -> causal_status {
    create(loss) {
        guard lambda.isFinite else { throw EngineError(.value, "lambda is \(lambda), expected a finite number") }
        return .regularization(lambda)
    }
}

@_cdecl("causal_loss_create_independence") @implementation
public func causal_loss_create_independence(_ loss: UnsafeMutablePointer<OpaquePointer?>?) -> causal_status {
    create(loss) { .independence }
}

@_cdecl("causal_loss_create_sum") @implementation
public func causal_loss_create_sum(_ loss: UnsafeMutablePointer<OpaquePointer?>?, _ terms: UnsafePointer<OpaquePointer?>?,
                                   _ weights: UnsafePointer<Double>?, _ count: Int) -> causal_status {
    create(loss) {
        let handles: MatrixView<OpaquePointer?> = try matrix(terms, 1, count, "terms")
        let weights: MatrixView<Double> = try matrix(weights, 1, count, "weights")
        var sum = Loss()
        for i in 0..<handles.count {
            guard weights.pointer[i].isFinite else { throw EngineError(.value, "weights[\(i)] is \(weights.pointer[i]), expected a finite number") }
            try sum.add(weights.pointer[i], times: HandleTable.reading(handles.pointer[i], LossObject.self) { $0.loss })
        }
        return sum
    }
}

@_cdecl("causal_loss_free") @implementation
public func causal_loss_free(_ loss: OpaquePointer?) -> causal_status {
    call { try HandleTable.remove(loss, .loss) }
}

@_cdecl("causal_loss_evaluate") @implementation
public func causal_loss_evaluate(_ loss: OpaquePointer?, _ arguments: UnsafePointer<causal_loss_arguments>?, _ value: UnsafeMutablePointer<Double>?,
                                 _ gradients: UnsafePointer<causal_loss_gradients>?) -> causal_status {
    call {
        let given = try options(arguments, "arguments")
        let wanted = try gradients.map { try options($0, "gradients") }
        let value = try require(value, "value")
        try HandleTable.reading(loss, LossObject.self) { object in
            value.pointee = try dispatch(given.dtype, float: { try evaluate(object.loss, given, wanted, Float.self) },
                                         double: { try evaluate(object.loss, given, wanted, Double.self) })
        }
    }
}

private func evaluate<Scalar: EngineScalar>(_ loss: Loss, _ given: causal_loss_arguments, _ wanted: causal_loss_gradients?, _: Scalar.Type) throws -> Double {
    func optional<T>(_ data: UnsafeRawPointer?, _ rows: Int, _ columns: Int, _ name: String, _: T.Type) throws -> MatrixView<T>? {
        guard data != nil || rows != 0 || columns != 0 else { return nil }
        return try matrix(data, rows, columns, name)
    }
    func target(_ pointer: UnsafeMutableRawPointer?, _ name: String) throws -> UnsafeMutablePointer<Scalar>? {
        guard let pointer else { return nil }
        try checkAligned(pointer, name, Scalar.self)
        return pointer.assumingMemoryBound(to: Scalar.self)
    }
    var views = LossArguments<Scalar>(), targets = LossGradientTargets<Scalar>()
    views.prediction = try optional(given.prediction, given.rows, given.columns, "prediction", Scalar.self)
    views.target = try optional(given.target, given.target_rows, given.target_columns, "target", Scalar.self)
    views.mask = try optional(given.mask, given.mask_rows, given.mask_columns, "mask", UInt8.self)
    views.values = try optional(given.values, given.value_rows, given.value_columns, "values", Scalar.self)
    if given.counterfactual_prediction != nil {
        views.counterfactualPrediction = try matrix(given.counterfactual_prediction, given.counterfactual_rows, given.counterfactual_columns, "counterfactual prediction")
    }
    if given.counterfactual_target != nil {
        views.counterfactualTarget = try matrix(given.counterfactual_target, given.counterfactual_rows, given.counterfactual_columns, "counterfactual target")
    }
    targets.prediction = try target(wanted?.prediction, "gradients->prediction")
    targets.counterfactualPrediction = try target(wanted?.counterfactual_prediction, "gradients->counterfactual_prediction")
    targets.parameters = try target(wanted?.parameters, "gradients->parameters")
    var scratch: [Scalar] = []
    guard let model = given.model else { return try loss.evaluate(views, into: targets, scratch: &scratch) }
    return try HandleTable.reading(model, ModelObject.self) { model in
        guard let model = model as? ModelOf<Scalar> else {
            throw CallError(status: CAUSAL_ERROR_DTYPE, message: "model: its dtype differs from the arguments', \(Scalar.typeName)")
        }
        views.parameters = UnsafePointer(try model.model.resolve(model.parameters(given.parameters)).pointer)
        views.layout = model.layout
        return try loss.evaluate(views, into: targets, scratch: &scratch)
    }
}

private func create(_ out: UnsafeMutablePointer<OpaquePointer?>?, _ loss: () throws -> Loss) -> causal_status {
    call {
        let out = try require(out, "loss")
        out.pointee = try HandleTable.insert(LossObject(try loss()))
    }
}

private func measure(_ type: UnsafePointer<CChar>?) throws -> Loss.Measure {
    let name = try text(type, "type")
    guard let measure = Loss.Measure(rawValue: name) else {
        throw EngineError(.value, "loss type is \"\(name)\", expected one of \(Loss.Measure.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    return measure
}
