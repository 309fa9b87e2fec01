internal import CausalKernels

/// Interventions on the variables of a structural model, by name: an immutable value, which each method extends.
///
/// ```swift
/// let scenario = Scenario()
///     .setting("dose", to: 2)
///     .shifting("pressure", by: -10, when: Scenario.Condition(["age"]) { $0[0] > 60 })
/// ```
///
/// At a variable its mechanism speaks first, then its edits in the order in which they were given. A row that is set, or whose mechanism is
/// replaced, takes no other edit of that variable: that is an error, since nothing says which of the two was meant. A row that
/// an edit does not concern (`rows`, `when`) is as if the edit were not there.
public struct Scenario: Sendable {
    /// One number for all rows, or one for each.
    public enum Value: Sendable, ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral {
        case constant(Double)
        case rows([Double])

        public init(floatLiteral value: Double) { self = .constant(value) }
        public init(integerLiteral value: Int) { self = .constant(Double(value)) }

        subscript(row: Int) -> Double {
            switch self {
            case .constant(let value): value
            case .rows(let values): values[row]
            }
        }
    }

    /// Fills `result` with one number a row, from the arguments (rows, arguments).
    package typealias Function = @Sendable (_ arguments: MatrixView<Double>, _ result: UnsafeMutablePointer<Double>) throws(EngineError) -> Void

    /// Which rows an edit concerns, told from the values that variables take in the same run; none of them may be an effect of the variable
    /// that is edited.
    public struct Condition: Sendable {
        package let reads: [String]
        package let isMet: Function

        /// - Parameter isMet: is given the values of the variables in `reads`, in this order.
        public init(_ reads: [String], _ isMet: @escaping @Sendable ([Double]) -> Bool) {
            self.init(reads: reads, isMet: byRow { isMet($0) ? 1 : 0 })
        }

        package init(reads: [String], isMet: @escaping Function) {
            self.reads = reads
            self.isMet = isMet
        }
    }

    package enum Action: Sendable {
        case set(Value)
        case shift(Value)
        case scale(Value)
        case clamp(ClosedRange<Double>)
        /// A function of other variables instead of the mechanism, or of its output where the variable reads itself.
        case compute(reads: [String], Function)
        case mechanism(NewMechanism)
        case linear(LinearPolicy)
        case network(NetworkPolicy)
        /// A hidden unit of the mechanism's network, while it speaks.
        case unit(HiddenUnit, Value)
        /// What the variable, or a unit of its mechanism, is in another run.
        case interchange(HiddenUnit?, Scenario)
    }

    package struct Edit: Sendable {
        package let variable: String
        package let action: Action
        /// One a row, nil for all.
        package let rows: [Bool]?
        package let condition: Condition?

        package init(variable: String, action: Action, rows: [Bool]?, condition: Condition?) {
            self.variable = variable
            self.action = action
            self.rows = rows
            self.condition = condition
        }

        /// Whether it does away with what the mechanism said.
        var replaces: Bool {
            switch action {
            case .set, .mechanism, .linear, .network, .interchange(nil, _): true
            case .compute(let reads, _): !reads.contains(variable)
            case .shift, .scale, .clamp, .unit, .interchange: false
            }
        }

        /// Whether the variable's own noise still counts where it is replaced.
        var keepsNoise: Bool {
            if case .mechanism(let new) = action { new.keepsNoise } else { !replaces }
        }

        var concernsAllRows: Bool { rows == nil && condition == nil }

        /// Other variables that it looks at.
        var reads: [String] {
            var reads = condition?.reads ?? []
            switch action {
            case .compute(let arguments, _): reads += arguments.filter { $0 != variable }
            case .mechanism(let new): reads += new.reads
            case .linear(let policy): reads += policy.reads
            case .network(let policy): reads += policy.reads
            case .set, .shift, .scale, .clamp, .unit, .interchange: break
            }
            return reads
        }
    }

    package private(set) var edits: [Edit] = []
    /// Of interchanges within interchanges.
    package private(set) var depth = 0

    public init() {}

    /// do(variable = value). `rows` has one entry a row of whatever the scenario is used with.
    public func setting(_ variable: String, to value: Value, rows: [Bool]? = nil, when condition: Condition? = nil) -> Scenario {
        adding(Edit(variable: variable, action: .set(value), rows: rows, condition: condition))
    }

    /// A policy: the variable becomes a function of others, which are causes of it from now on.
    public func setting(_ variable: String, by reads: [String], rows: [Bool]? = nil, when condition: Condition? = nil,
                        _ policy: @escaping @Sendable ([Double]) -> Double) -> Scenario {
        adding(Edit(variable: variable, action: .compute(reads: reads, byRow(policy)), rows: rows, condition: condition))
    }

    /// Policies whose numbers `gradient(ofSample:)` reaches.
    public func setting(_ variable: String, by policy: LinearPolicy, rows: [Bool]? = nil, when condition: Condition? = nil) -> Scenario {
        adding(Edit(variable: variable, action: .linear(policy), rows: rows, condition: condition))
    }

    public func setting(_ variable: String, by policy: NetworkPolicy, rows: [Bool]? = nil, when condition: Condition? = nil) -> Scenario {
        adding(Edit(variable: variable, action: .network(policy), rows: rows, condition: condition))
    }

    /// Another mechanism with noise, the parents of which are the variable's causes from now on.
    public func replacing(_ variable: String, by mechanism: NewMechanism, rows: [Bool]? = nil, when condition: Condition? = nil) -> Scenario {
        adding(Edit(variable: variable, action: .mechanism(mechanism), rows: rows, condition: condition))
    }

    /// do() on a hidden unit of the network of the variable's mechanism.
    public func setting(_ unit: HiddenUnit, of variable: String, to value: Value, rows: [Bool]? = nil, when condition: Condition? = nil) -> Scenario {
        adding(Edit(variable: variable, action: .unit(unit, value), rows: rows, condition: condition))
    }

    /// Interchange: the variable takes the value that it has under another scenario, with the same rows and the same noise; or, where a hidden unit of its
    /// mechanism is named, that unit does. Gradients take what comes from the other run for given.
    public func interchanging(_ variable: String, _ unit: HiddenUnit? = nil, from source: Scenario, rows: [Bool]? = nil, when condition: Condition? = nil) -> Scenario {
        adding(Edit(variable: variable, action: .interchange(unit, source), rows: rows, condition: condition))
    }

    /// What the mechanism says, plus an amount.
    public func shifting(_ variable: String, by amount: Value, rows: [Bool]? = nil, when condition: Condition? = nil) -> Scenario {
        adding(Edit(variable: variable, action: .shift(amount), rows: rows, condition: condition))
    }

    /// What the mechanism says, times a factor.
    public func scaling(_ variable: String, by factor: Value, rows: [Bool]? = nil, when condition: Condition? = nil) -> Scenario {
        adding(Edit(variable: variable, action: .scale(factor), rows: rows, condition: condition))
    }

    /// What the mechanism says, kept within bounds.
    public func clamping(_ variable: String, to range: ClosedRange<Double>, rows: [Bool]? = nil, when condition: Condition? = nil) -> Scenario {
        adding(Edit(variable: variable, action: .clamp(range), rows: rows, condition: condition))
    }

    /// Any function of what the mechanism says, which comes first among its arguments, and of the variables in `reads`.
    public func transforming(_ variable: String, with reads: [String] = [], rows: [Bool]? = nil, when condition: Condition? = nil,
                             _ transform: @escaping @Sendable ([Double]) -> Double) -> Scenario {
        adding(Edit(variable: variable, action: .compute(reads: [variable] + reads, byRow(transform)), rows: rows, condition: condition))
    }

    package func adding(_ edit: Edit) -> Scenario {
        var result = self
        result.edits.append(edit)
        if case .interchange(_, let source) = edit.action { result.depth = max(depth, source.depth + 1) }
        return result
    }
}

/// A function of one row, for many.
func byRow(_ function: @escaping @Sendable ([Double]) -> Double) -> Scenario.Function {
    { arguments, result throws(EngineError) in
        for row in 0..<arguments.rows {
            result[row] = function(Array(UnsafeBufferPointer(start: arguments.pointer + row * arguments.columns, count: arguments.columns)))
        }
    }
}
