public import CCausal
internal import CausalEngine
internal import CausalKernels

/// What C asks of a structural model of either precision.
protocol StructuralAnswers: StructuralKeeping {
    var description: StructuralDescription { get }
    var members: Int { get }
    var noiseWidth: Int { get }
    func sample(under scenario: Scenario, member: Int?, seed: UInt64, draws: Int?, wanted: [Bool]?,
                into values: MutableMatrixView<Double>) throws(EngineError)
    func counterfactual(_ factual: MatrixView<Double>, isSet: MatrixView<UInt8>?, under scenario: Scenario, member: Int, seed: UInt64,
                        wanted: [Bool]?, into values: MutableMatrixView<Double>) throws(EngineError)
    func gradient(ofSample gradient: MatrixView<Double>, under scenario: Scenario, member: Int, seed: UInt64, draws: Int?)
        throws(EngineError) -> [[Double]]
    func probabilities(of variable: Int, _ values: MatrixView<Double>, member: Int, into result: MutableMatrixView<Double>) throws(EngineError)
    func newMechanism(of name: String) throws(EngineError) -> NewMechanism
    func abduct(_ factual: MatrixView<Double>, isSet: MatrixView<UInt8>?, member: Int, seed: UInt64,
                into noise: MutableMatrixView<Double>) throws(EngineError)
}

extension StructuralModel: StructuralAnswers {}

final class StructuralModelObject: Handled {
    static let kind = Kind.structuralModel
    let model: any StructuralAnswers
    /// What came with its checkpoint.
    let note: String

    init(_ model: any StructuralAnswers, note: String = "") {
        self.model = model
        self.note = note
    }
}

/// The number of a variable that there is.
func check(_ variable: Int, _ model: any StructuralAnswers) throws -> Int {
    let count = model.description.variables.count
    guard (0..<count).contains(variable) else {
        throw EngineError(.name, "structural model: variable \(UInt(bitPattern: variable)) does not exist, expected 0 to \(count - 1)")
    }
    return variable
}

private func reading<Result>(_ handle: OpaquePointer?, _ body: (any StructuralAnswers) throws -> Result) throws -> Result {
    try HandleTable.reading(handle, StructuralModelObject.self) { try body($0.model) }
}

private func variables(_ wanted: UnsafePointer<UInt8>?, _ model: any StructuralAnswers) -> [Bool]? {
    wanted.map { wanted in model.description.variables.indices.map { wanted[$0] != 0 } }
}

@_cdecl("causal_structural_model_free") @implementation
public func causal_structural_model_free(_ model: OpaquePointer?) -> causal_status {
    call { try HandleTable.remove(model, .structuralModel) }
}

@_cdecl("causal_structural_model_member_count") @implementation
public func causal_structural_model_member_count(_ model: OpaquePointer?, _ count: UnsafeMutablePointer<Int>?) -> causal_status {
    call { try reading(model) { try require(count, "count").pointee = $0.members } }
}

@_cdecl("causal_structural_model_noise_width") @implementation
public func causal_structural_model_noise_width(_ model: OpaquePointer?, _ width: UnsafeMutablePointer<Int>?) -> causal_status {
    call { try reading(model) { try require(width, "width").pointee = $0.noiseWidth } }
}

@_cdecl("causal_structural_model_mechanism") @implementation
public func causal_structural_model_mechanism(_ model: OpaquePointer?, _ variable: Int, _ kind: UnsafeMutablePointer<CChar>?, _ capacity: Int,
                                              _ length: UnsafeMutablePointer<Int>?) -> causal_status {
    call {
        try reading(model) { model in
            try write(model.description.mechanisms[try check(variable, model)].name, to: kind, capacity: capacity, length: length, "kind")
        }
    }
}

@_cdecl("causal_structural_model_sample") @implementation
public func causal_structural_model_sample(_ model: OpaquePointer?, _ scenario: OpaquePointer?, _ member: Int, _ seed: UInt64,
                                           _ draws: Int, _ wanted: UnsafePointer<UInt8>?, _ values: UnsafeMutablePointer<Double>?, _ rows: Int,
                                           _ columns: Int) -> causal_status {
    call {
        let scenario = try CausalABI.scenario(scenario)
        try reading(model) { model in
            // SIZE_MAX, seen as a signed number.
            try model.sample(under: scenario, member: member == -1 ? nil : member, seed: seed, draws: draws == 0 ? nil : try size(draws, "draws"), wanted: variables(wanted, model),
                             into: try mutableMatrix(values, rows, columns, "values"))
        }
    }
}

@_cdecl("causal_structural_model_gradient") @implementation
public func causal_structural_model_gradient(_ model: OpaquePointer?, _ scenario: OpaquePointer?, _ member: Int, _ seed: UInt64, _ draws: Int,
                                             _ gradient: UnsafePointer<Double>?, _ rows: Int, _ columns: Int,
                                             _ ofValues: UnsafeMutablePointer<Double>?, _ count: Int) -> causal_status {
    call {
        let scenario = try CausalABI.scenario(scenario)
        try reading(model) { model in
            let found = try model.gradient(ofSample: try matrix(gradient, rows, columns, "gradient"), under: scenario, member: member, seed: seed,
                                           draws: draws == 0 ? nil : try size(draws, "draws")).flatMap { $0 }
            guard found.count == count else {
                throw EngineError(.shape, "gradient: room for \(UInt(bitPattern: count)) numbers, expected \(found.count), one a value of the edits")
            }
            guard count > 0 else { return }
            try require(ofValues, "of_values").update(from: found, count: count)
        }
    }
}

@_cdecl("causal_structural_model_counterfactual") @implementation
public func causal_structural_model_counterfactual(_ model: OpaquePointer?, _ factual: UnsafePointer<Double>?, _ isSet: UnsafePointer<UInt8>?,
                                                   _ scenario: OpaquePointer?, _ member: Int, _ seed: UInt64,
                                                   _ wanted: UnsafePointer<UInt8>?, _ values: UnsafeMutablePointer<Double>?, _ rows: Int, _ columns: Int) -> causal_status {
    call {
        let scenario = try CausalABI.scenario(scenario)
        try reading(model) { model in
            try model.counterfactual(try matrix(factual, rows, columns, "factual"), isSet: isSet == nil ? nil : try matrix(isSet, rows, columns, "is_set"),
                                     under: scenario, member: member, seed: seed, wanted: variables(wanted, model),
                                     into: try mutableMatrix(values, rows, columns, "values"))
        }
    }
}

@_cdecl("causal_structural_model_abduct") @implementation
public func causal_structural_model_abduct(_ model: OpaquePointer?, _ factual: UnsafePointer<Double>?, _ isSet: UnsafePointer<UInt8>?,
                                           _ member: Int, _ seed: UInt64, _ rows: Int, _ columns: Int, _ noise: UnsafeMutablePointer<Double>?,
                                           _ noiseWidth: Int) -> causal_status {
    call {
        try reading(model) { model in
            try model.abduct(try matrix(factual, rows, columns, "factual"), isSet: isSet == nil ? nil : try matrix(isSet, rows, columns, "is_set"),
                             member: member, seed: seed, into: try mutableMatrix(noise, rows, noiseWidth, "noise"))
        }
    }
}

@_cdecl("causal_structural_model_probabilities") @implementation
public func causal_structural_model_probabilities(_ model: OpaquePointer?, _ variable: Int, _ values: UnsafePointer<Double>?, _ rows: Int, _ columns: Int,
                                                  _ member: Int, _ probabilities: UnsafeMutablePointer<Double>?, _ levels: Int) -> causal_status {
    call {
        try reading(model) { model in
            try model.probabilities(of: variable, try matrix(values, rows, columns, "values"), member: member,
                                    into: try mutableMatrix(probabilities, rows, levels, "probabilities"))
        }
    }
}
