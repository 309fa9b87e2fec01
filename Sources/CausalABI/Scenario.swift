public import CCausal
internal import CausalEngine
internal import CausalKernels

/// A scenario, which C extends in place.
final class ScenarioObject: Handled {
    static let kind = Kind.scenario
    fileprivate(set) var scenario = Scenario()
}

/// The scenario of a handle now; NULL is one without edits.
func scenario(_ handle: OpaquePointer?) throws -> Scenario {
    guard handle != nil else { return Scenario() }
    return try HandleTable.reading(handle, ScenarioObject.self) { $0.scenario }
}

@_cdecl("causal_scenario_create") @implementation
public func causal_scenario_create(_ scenario: UnsafeMutablePointer<OpaquePointer?>?) -> causal_status {
    call { try require(scenario, "scenario").pointee = try HandleTable.insert(ScenarioObject()) }
}

@_cdecl("causal_scenario_free") @implementation
public func causal_scenario_free(_ scenario: OpaquePointer?) -> causal_status {
    call { try HandleTable.remove(scenario, .scenario) }
}

@_cdecl("causal_scenario_add") @implementation
public func causal_scenario_add(_ scenario: OpaquePointer?, _ edit: UnsafePointer<causal_edit>?) -> causal_status {
    call {
        let edit = try Scenario.Edit(try options(edit, "edit"))
        try HandleTable.owning(scenario, ScenarioObject.self) { object in
            let extended = object.scenario.adding(edit)
            try extended.checkDepth()
            object.scenario = extended
        }
    }
}

extension Scenario.Edit {
    fileprivate init(_ given: causal_edit) throws {
        let variable = try text(given.variable, "edit->variable")
        let rows = try given.rows.map { rows in
            try array(rows, given.row_count, "edit->rows").map { $0 != 0 }
        }
        let condition = try given.condition.map { condition in
            Scenario.Condition(reads: try names(given.condition_reads, given.condition_read_count, "edit->condition_reads"),
                               isMet: function(condition, given.condition_context))
        }
        let action: Scenario.Action
        switch given.kind {
        case CAUSAL_EDIT_SET: action = .set(try value(given))
        case CAUSAL_EDIT_SHIFT: action = .shift(try value(given))
        case CAUSAL_EDIT_SCALE: action = .scale(try value(given))
        case CAUSAL_EDIT_CLAMP:
            guard given.lower <= given.upper else { throw disorder(given) }
            action = .clamp(given.lower...given.upper)
        case CAUSAL_EDIT_COMPUTE:
            action = .compute(reads: try names(given.reads, given.read_count, "edit->reads"),
                              function(try require(given.function, "edit->function"), given.context))
        case CAUSAL_EDIT_MECHANISM: action = .mechanism(try newMechanism(given, variable))
        case CAUSAL_EDIT_LINEAR:
            guard given.lower <= given.upper else { throw disorder(given) }
            let numbers = try array(try require(given.values, "edit->values"), given.value_count, "edit->values")
            action = .linear(LinearPolicy(reads: try names(given.reads, given.read_count, "edit->reads"), numbers: numbers, within: given.lower...given.upper))
        case CAUSAL_EDIT_NETWORK: action = .network(try networkPolicy(given))
        case CAUSAL_EDIT_UNIT: action = .unit(try unit(given), try value(given))
        case CAUSAL_EDIT_INTERCHANGE: action = .interchange(nil, try source(given))
        case CAUSAL_EDIT_INTERCHANGE_UNIT: action = .interchange(try unit(given), try source(given))
        default: throw EngineError(.value, "edit->kind is \(given.kind.rawValue), expected one of causal_edit_kind")
        }
        self.init(variable: variable, action: action, rows: rows, condition: condition)
    }
}

private func disorder(_ given: causal_edit) -> EngineError {
    EngineError(.value, "edit: lower is \(given.lower) and upper \(given.upper), expected lower at most upper")
}

private func networkPolicy(_ given: causal_edit) throws -> NetworkPolicy {
    // Not a number is in no order either.
    guard given.lower <= given.upper else { throw disorder(given) }
    let reads = try names(given.reads, given.read_count, "edit->reads")
    let widths = try array(given.hidden, given.hidden_count, "edit->hidden").enumerated().map { try size($1, "edit->hidden[\($0)]") }
    let pairs = try given.scales.map { try array($0, 2 * reads.count, "edit->scales") } ?? []
    return NetworkPolicy(reads, hidden: widths, activation: try activation(given.activation, "edit->activation"), within: given.lower...given.upper,
                         scales: stride(from: 0, to: pairs.count, by: 2).map { (mean: pairs[$0], scale: pairs[$0 + 1]) },
                         numbers: try array(try require(given.values, "edit->values"), given.value_count, "edit->values"))
}

private func unit(_ given: causal_edit) throws -> HiddenUnit {
    HiddenUnit(layer: try size(given.layer, "edit->layer"), unit: try size(given.unit, "edit->unit"))
}

private func source(_ given: causal_edit) throws -> Scenario {
    try HandleTable.reading(given.source, ScenarioObject.self) { $0.scenario }
}

private func newMechanism(_ given: causal_edit, _ variable: String) throws -> NewMechanism {
    if given.model != nil {
        return try HandleTable.reading(given.model, StructuralModelObject.self) { try $0.model.newMechanism(of: variable) }
    }
    return NewMechanism(reads: try names(given.reads, given.read_count, "edit->reads"), noise: given.value_count == 0 ? nil : try value(given),
                        function: function(try require(given.function, "edit->function, where edit->model is NULL"), given.context))
}

private func value(_ given: causal_edit) throws -> Scenario.Value {
    let values = try array(try require(given.values, "edit->values"), given.value_count, "edit->values")
    guard let first = values.first else { throw EngineError(.shape, "edit->value_count is 0, expected 1, or one a row") }
    return values.count == 1 ? .constant(first) : .rows(values)
}

private func names(_ list: UnsafePointer<UnsafePointer<CChar>?>?, _ count: Int, _ name: String) throws -> [String] {
    let count = try size(count, "\(name): their number")
    guard count > 0 else { return [] }
    guard count <= Graph.mostVariables else {
        throw CallError(status: CAUSAL_ERROR_MEMORY, message: "\(name): \(count) names, expected at most \(Graph.mostVariables)")
    }
    let list = try require(list, name)
    return try (0..<count).map { try text(list[$0], "\(name)[\($0)]") }
}

/// A function of C's.
func function(_ body: @escaping causal_function, _ context: UnsafeMutableRawPointer?) -> Scenario.Function {
    nonisolated(unsafe) let context = context
    return { arguments, result throws(EngineError) in
        let status = body(context, arguments.pointer, arguments.rows, arguments.columns, result)
        guard status == 0 else { throw EngineError(.state, "a function of the caller's failed, with \(status)") }
    }
}
