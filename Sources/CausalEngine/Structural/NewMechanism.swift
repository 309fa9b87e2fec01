public import CausalKernels

/// Another mechanism for a variable, with noise, which a scenario puts in the place of its own.
///
/// Its noise is the variable's own as far as that makes sense, so that a counterfactual keeps what was abducted. What the two mechanisms say of
/// the distribution of their noises is respected: noise of a flow or of a categorical variable follows the same law in every model and
/// stays as it is, and noise that was learned, as residuals, is taken over by its rank. This is the coupling that monotone noise stands for: what
/// was the nine-tenths quantile given the parents is so again.
public struct NewMechanism: Sendable {
    enum Source: Sendable {
        /// A `StructuralModel<Scalar>`, and a variable of it.
        case fitted(any Sendable, variable: Int)
        /// `function(reads) + noise`; the variable's own noise where none is given.
        case formula(Scenario.Function, noise: Scenario.Value?)
    }

    let source: Source
    /// The variables that it reads, in its own order.
    package let reads: [String]

    /// What another model learned for the variable `name`. Its parents there become causes here, by name.
    ///
    /// - Throws: `.name` where that model has no such variable.
    public init<Scalar: EngineScalar>(of name: String, in model: StructuralModel<Scalar>) throws(EngineError) {
        self = try model.newMechanism(of: name)
    }

    /// `formula(reads) + noise`.
    ///
    /// - Parameter noise: drawn by the caller, independent of all else; nil for the noise that the variable has, which its own mechanism
    ///   must add too.
    public init(_ reads: [String], noise: Scenario.Value? = nil, _ formula: @escaping @Sendable ([Double]) -> Double) {
        self.init(reads: reads, noise: noise, function: byRow(formula))
    }

    fileprivate init(reads: [String], _ source: Source) {
        self.reads = reads
        self.source = source
    }

    package init(reads: [String], noise: Scenario.Value?, function: @escaping Scenario.Function) {
        self.reads = reads
        source = .formula(function, noise: noise)
    }

    /// Whether the variable's own noise goes into it.
    var keepsNoise: Bool {
        if case .formula(_, .some) = source { false } else { true }
    }
}

/// A new mechanism in the place of one of a model: it reads the columns of that model, and gets noise from it.
struct Replacement<Scalar: EngineScalar>: Sendable {
    let mechanism: FittedMechanism<Scalar>
    let member: Int
    private let noise: Noise

    private enum Noise: Sendable {
        case same
        case byRank(NoiseRank)
        case given(Scenario.Value)
    }

    /// - Throws: `.value` where the two take noise that cannot stand for each other, or variables are of other kinds here and there.
    init(of v: Int, by new: NewMechanism, in model: StructuralModel<Scalar>, member: Int) throws(EngineError) {
        let own = model.mechanisms[v], variable = own.variable, columns = try new.reads.map { name throws(EngineError) in try model.description.graph.index(of: name) }
        switch new.source {
        case .formula(let function, let given):
            guard variable.kind == .real else {
                throw EngineError(.value, "scenario: the new mechanism of \(variable.name) is a formula with noise, expected a real variable")
            }
            guard given != nil || (!own.isRoot && own.law == .additive) else {
                throw EngineError(.value, "scenario: the new mechanism of \(variable.name) is a formula plus its own noise, which its own mechanism "
                    + "(\(own.isRoot ? "without causes" : model.description.mechanisms[v].name)) does not add, expected a distribution for the noise")
            }
            let scale = given == nil ? own.scale : Standardisation()
            mechanism = FittedMechanism(variable: variable, law: .additive, scale: scale, code: own.code, model: nil,
                                        formula: (columns, Formula(function: function)), parameters: [])
            noise = given.map(Noise.given) ?? .same
            self.member = member
        case .fitted(let given, let variable):
            guard let other = given as? StructuralModel<Scalar> else {
                throw EngineError(.value, "scenario: the new mechanism of \(own.variable.name) is of a model of another dtype, expected \(Scalar.typeName)")
            }
            self.member = member % other.members
            try Replacement.checkKinds(other, [variable] + other.description.parents[variable], model, [v] + columns)
            var found = other.mechanisms[variable]
            found.read(Dictionary(uniqueKeysWithValues: zip(other.description.parents[variable], columns)))
            mechanism = found
            noise = try Replacement.transfer(from: own, member, to: found, self.member)
        }
    }

    private static func checkKinds(_ other: StructuralModel<Scalar>, _ theirs: [Int], _ model: StructuralModel<Scalar>, _ ours: [Int]) throws(EngineError) {
        for (their, our) in zip(theirs, ours) where other.variables[their].kind != model.variables[our].kind {
            throw EngineError(.value, "scenario: \(model.variables[our].name) is \(model.variables[our].expectation) here, and "
                + "\(other.variables[their].expectation) in the model that the new mechanism of \(model.variables[ours[0]].name) is taken from")
        }
    }

    private static func transfer(from own: FittedMechanism<Scalar>, _ ownMember: Int, to new: FittedMechanism<Scalar>, _ newMember: Int) throws(EngineError) -> Noise {
        if own.variable.kind != .real {
            guard own.distribution == .gumbel, new.distribution == .gumbel else {
                throw EngineError(.value, "scenario: the new mechanism of \(own.variable.name) takes other noise than its own one: one of the two is without "
                    + "causes, expected causes in both, or the variable to be set")
            }
            return .same
        }
        if own.distribution == .gaussian, new.distribution == .gaussian { return .same }
        return .byRank(NoiseRank(from: NoiseRank.Law(own, ownMember), to: NoiseRank.Law(new, newMember)))
    }

    /// The noise of some rows, from that of the variable's own mechanism.
    func noise(_ own: Columns<Double>, firstRow: Int, into target: Columns<Double>) {
        for i in 0..<own.rows {
            switch noise {
            case .same: for k in 0..<mechanism.noiseWidth { target[k][i] = own[k][i] }
            case .byRank(let rank): target[0][i] = rank(own[0][i])
            case .given(let value): target[0][i] = value[firstRow + i]
            }
        }
    }
}

extension StructuralModel {
    package func newMechanism(of name: String) throws(EngineError) -> NewMechanism {
        let variable = try description.graph.index(of: name)
        return NewMechanism(reads: description.parents[variable].map { variables[$0].name }, .fitted(self, variable: variable))
    }

    /// By variable and edit, what is new; nil for edits that are no mechanisms. Empty where there is none.
    func replacements(_ scenario: CompiledScenario, member: Int) throws(EngineError) -> [[Replacement<Scalar>?]] {
        guard scenario.hasNewMechanisms else { return [] }
        var found: [[Replacement<Scalar>?]] = []
        for (v, edits) in scenario.edits.enumerated() {
            found.append(try edits.map { edit throws(EngineError) in
                guard case .mechanism(let new) = edit.action else { return nil }
                return try Replacement(of: v, by: new, in: self, member: member)
            })
        }
        return found
    }
}

extension FittedMechanism {
    /// Reads its parents in other columns.
    fileprivate mutating func read(_ columns: [Int: Int]) {
        code = code.reading(columns)
        if let formula { self.formula = (formula.parents.map { columns[$0]! }, formula.1) }
    }
}
