public import CCausal
internal import CausalEngine
internal import CausalKernels

/// An intervention in one of the two precisions; C changes it in place.
class InterventionObject: Handled {
    static var kind: Kind { .intervention }

    func set(_ site: Int, _ mask: MatrixView<UInt8>, _ values: UnsafeRawPointer?, _ dtype: causal_dtype, _ valueRows: Int) throws {
        fatalError("abstract")
    }
}

final class InterventionOf<Scalar: EngineScalar>: InterventionObject {
    private(set) var intervention = Intervention<Scalar>()

    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    override func set(_ site: Int, _ mask: MatrixView<UInt8>, _ values: UnsafeRawPointer?, _ dtype: causal_dtype, _ valueRows: Int) throws {
        try Scalar.expect(dtype, "values")
        let values: MatrixView<Scalar> = try matrix(values, valueRows, mask.columns, "values")
        intervention = try intervention.setting(site: site, mask: mask, values: values)
    }
}

extension EngineScalar {
    /// The value of an intervention's handle now, nil for NULL.
    static func intervention(_ handle: OpaquePointer?) throws -> Intervention<Self>? {
        guard handle != nil else { return nil }
        return try HandleTable.reading(handle, InterventionObject.self) { object in
            guard let object = object as? InterventionOf<Self> else {
                throw CallError(status: CAUSAL_ERROR_DTYPE, message: "intervention: its dtype differs from the model's, expected \(typeName)")
            }
            return object.intervention
        }
    }
}

@_cdecl("causal_intervention_create") @implementation
public func causal_intervention_create(_ intervention: UnsafeMutablePointer<OpaquePointer?>?, _ dtype: causal_dtype) -> causal_status {
    call {
        let out = try require(intervention, "intervention")
        let object: InterventionObject = try dispatch(dtype, float: { InterventionOf<Float>() }, double: { InterventionOf<Double>() })
        out.pointee = try HandleTable.insert(object)
    }
}

@_cdecl("causal_intervention_free") @implementation
public func causal_intervention_free(_ intervention: OpaquePointer?) -> causal_status {
    call { try HandleTable.remove(intervention, .intervention) }
}

@_cdecl("causal_intervention_set") @implementation
public func causal_intervention_set(_ intervention: OpaquePointer?, _ site: Int, _ mask: UnsafePointer<UInt8>?, _ maskRows: Int,
                                    _ values: UnsafeRawPointer?, _ dtype: causal_dtype, _ valueRows: Int, _ columns: Int) -> causal_status {
    call {
        try HandleTable.owning(intervention, InterventionObject.self) { object in
            guard site >= 0 else { throw EngineError(.name, "intervention: site \(UInt(bitPattern: site)) does not exist") }
            try object.set(site, try matrix(mask, maskRows, columns, "mask"), values, dtype, valueRows)
        }
    }
}
