public import CausalKernels
internal import Synchronization

/// Learns a structural model. The likelihood of the rows is a product of one factor a mechanism, so that all mechanisms, of all members of an
/// ensemble, learn at once, on as many threads as are in use; the bits do not depend on their number.
///
/// ```swift
/// let trainer = try StructuralTrainer<Float>(description, on: StructuralDataset(values))
/// try trainer.run()
/// let model = try trainer.model()
/// ```
public final class StructuralTrainer<Scalar: EngineScalar> {
    public let options: StructuralTrainerOptions
    /// With the mechanisms that were chosen, once they are.
    public private(set) var description: StructuralDescription
    public private(set) var isFinished = false

    private let data: StructuralDataset
    /// By variable, what is not learned.
    private let kept: [Int: FittedMechanism<Scalar>]
    /// For each member the rows it learns from; nil for all.
    private let samples: [[Int]?]
    private let scales: [Standardisation]
    /// What is learned now: first, where something is to be chosen, the candidates, then the mechanisms.
    private var lessons: [MechanismLesson<Scalar>] = []
    private var isChoosing: Bool
    private let isCancelled = Atomic<Bool>(false)

    /// - Parameters:
    ///   - frozen: variables whose mechanisms stay what they are in `former`, a model of the same graph and variables.
    /// - Throws: `.shape` and `.value` where data and options do not fit; a variable with no row to learn from; `.name` for a frozen variable that
    ///   does not exist.
    public init(_ description: StructuralDescription, on data: StructuralDataset, options: StructuralTrainerOptions = .init(),
                freezing frozen: [String] = [], of former: StructuralModel<Scalar>? = nil) throws(EngineError) {
        try options.validate()
        try data.check(description.variables)
        for (v, variable) in description.variables.enumerated() where variable.kind == .real { try data.checkSpread(of: v, variable.name) }
        // In a trial that set a variable without causes in every row, these values are how it comes about.
        let data = try data.unmarking(description.variables.indices.filter { description.isRoot($0) && data.isAlwaysSet($0) })
        let kept = try former?.mechanisms(of: frozen, for: description, members: options.members) ?? [:]
        guard former != nil || frozen.isEmpty else {
            throw EngineError(.missing, "structural training: \(frozen.count) mechanisms are frozen, expected the model that they are taken from")
        }
        let description = try former.map { former throws(EngineError) in
            try description.choosing(description.variables.indices.map { kept[$0] == nil ? description.mechanisms[$0] : former.description.mechanisms[$0] })
        } ?? description
        self.kept = kept
        self.description = description
        self.data = data
        self.options = options
        // What is frozen was learned in the units of the former model, and its children read it in these.
        scales = former?.mechanisms.list.map(\.scale) ?? description.variables.enumerated().map { v, variable in
            variable.kind == .real ? data.standardisation(of: v) : Standardisation()
        }
        samples = (0..<options.members).map { member in
            guard options.resamples else { return nil }
            var random = Random(seed: options.seed, purpose: .resampling, index: member)
            return data.twins?.resample(&random) ?? (0..<data.rows).map { _ in random.index(below: data.rows) }.sorted()
        }
        for v in 0..<description.count where kept[v] == nil {
            guard data.hasRowsFor(v, parents: description.parents[v]) else {
                throw EngineError(.value, "structural data: there is no row in which \(description.variables[v].name) is known, and its parents, "
                    + "and it was not set, expected at least one")
            }
        }
        let hasCounterfactuals = data.twins != nil && options.counterfactual > 0
        guard !hasCounterfactuals || (0..<description.count).contains(where: { v in
            kept[v] == nil && description.learnsFromTwins(v) && data.hasTwinsFor(v, parents: description.parents[v])
        }) else {
            throw EngineError(.value, "structural data: there are twins, but no two of them in which the same real variable that has a mechanism to learn is "
                + "known, and its parents, and it was not set, expected at least two, or a counterfactual weight of 0")
        }
        isChoosing = false
        if let term = addsTerms, let v = (0..<description.count).first(where: { kept[$0] == nil && !description.isRoot($0) && !description.mechanisms[$0].learnsByDescent }) {
            throw EngineError(.value, "structural training: the mechanism of \(description.variables[v].name) is smooth, which takes no \(term), "
                + "expected another such as additive")
        }
        let open = description.variables.indices.filter { description.mechanisms[$0] == .automatic && !description.isRoot($0) }
        if open.isEmpty {
            try beginLearning()
        } else {
            isChoosing = true
            for v in open {
                for candidate in Mechanism.candidates(for: description.variables[v]) where admits(candidate, v) {
                    lessons.append(try lesson(v, candidate, member: 0))
                }
            }
        }
    }

    /// Whether a mechanism that is not asked for may be tried.
    private func admits(_ candidate: Mechanism, _ v: Int) -> Bool {
        guard case .smooth(let hidden, _) = candidate else { return true }
        return addsTerms == nil && EvidenceTrainer<Scalar>.learnsSoon(inputs: ParentCode(of: v, description, scales).width, hidden: hidden)
    }

    /// What is asked for beside likelihood or squared error, and only steps down a loss can do; nil for nothing.
    private var addsTerms: String? {
        if options.sparsity > 0 { return "sparsity" }
        if options.independence > 0 { return "independence" }
        return data.twins != nil && options.counterfactual > 0 ? "twins" : nil
    }

    /// How much is done, 0 to 1; choosing counts as half.
    public var progress: Double {
        if isFinished { return 1 }
        let done = lessons.reduce(0.0) { $0 + $1.progress } / Double(max(lessons.count, 1))
        return hasChosen ? 0.5 + done / 2 : isChoosing ? done / 2 : done
    }
    private var hasChosen = false

    /// Trains for about `seconds`; call it again to go on. True when all is learned.
    ///
    /// - Throws: `.diverged`, naming the variable.
    @discardableResult
    public func run(seconds: Double = .infinity) throws(EngineError) -> Bool {
        let end = now() + seconds
        while !isFinished, !isCancelled.load(ordering: .relaxed) {
            try runLessons(until: end)
            if !lessons.allSatisfy(\.isFinished) { break }
            if isChoosing { try choose() } else { isFinished = true }
            if now() >= end { break }
        }
        return isFinished
    }

    /// Ends `run` from another thread, after the steps under way.
    public func cancel() {
        isCancelled.store(true, ordering: .relaxed)
        for lesson in lessons { lesson.cancel() }
    }

    /// What was learned.
    ///
    /// - Throws: `.state` before all is.
    public func model() throws(EngineError) -> StructuralModel<Scalar> {
        guard isFinished else { throw EngineError(.state, "structural training: it is not finished, expected run to return true before") }
        return try StructuralModel(description, learned: lessons, scales: scales, data: data, samples: samples, keeping: kept)
    }

    // MARK: Lessons

    private func runLessons(until end: Double) throws(EngineError) {
        let lessons = lessons.filter { !$0.isFinished }
        nonisolated(unsafe) var failure: EngineError?
        let lock = Lock()
        Threads.run(chunks: lessons.count, work: Int.max) { k in
            guard now() < end, lock.withLock({ failure == nil }) else { return }
            do throws(EngineError) {
                try lessons[k].run(until: end)
            } catch {
                // A candidate may fail where others learn.
                guard !isChoosing || error.kind != .diverged else { return }
                lock.withLock { failure = error }
            }
        }
        if let failure { throw failure }
    }

    private func beginLearning() throws(EngineError) {
        lessons = []
        for v in 0..<description.count where !description.isRoot(v) && kept[v] == nil {
            if case .given = description.mechanisms[v] { continue }
            for member in 0..<options.members { lessons.append(try lesson(v, description.mechanisms[v], member: member)) }
        }
    }

    /// For each variable the candidate of the largest likelihood of the rows held out.
    private func choose() throws(EngineError) {
        var mechanisms = description.mechanisms
        var best = [[Double]?](repeating: nil, count: description.count)
        for lesson in lessons where lesson.divergence == nil {
            let found = try lesson.heldOutLikelihoods()
            // A richer mechanism has to be better than a simpler one by more than chance makes it, one standard error.
            if let former = best[lesson.variable] {
                let gains = zip(found, former).map { $0 - $1 }, gain = Standardisation(gains)
                guard gain.mean > gain.scale / Double(gains.count).squareRoot() else { continue }
            }
            best[lesson.variable] = found
            mechanisms[lesson.variable] = lesson.mechanism
        }
        if let failed = lessons.first(where: { best[$0.variable] == nil }) { throw failed.divergence! }
        description = try description.choosing(mechanisms)
        isChoosing = false
        hasChosen = true
        try beginLearning()
    }

    private func lesson(_ v: Int, _ mechanism: Mechanism, member: Int) throws(EngineError) -> MechanismLesson<Scalar> {
        try MechanismLesson(v, mechanism, description, data, rows: samples[member], scales: scales, member: member, isChoosing: isChoosing, options: options)
    }
}

extension StructuralModel {
    /// Some mechanisms as a model of so many members takes them over.
    fileprivate func mechanisms(of names: [String], for description: StructuralDescription, members: Int) throws(EngineError)
        -> [Int: FittedMechanism<Scalar>] {
        guard description.graph == self.description.graph, description.variables == variables else {
            throw EngineError(.value, "structural training: mechanisms are taken from a model of another graph, expected the same variables and edges")
        }
        var found: [Int: FittedMechanism<Scalar>] = [:]
        for name in names {
            let v = try description.graph.index(of: name)
            found[v] = mechanisms[v].spread(over: members)
        }
        return found
    }
}

extension StructuralDescription {
    /// Whether a row and its counterfactual tell the same noise of a mechanism that is learned.
    fileprivate func learnsFromTwins(_ v: Int) -> Bool {
        if case .given = mechanisms[v] { return false }
        return !isRoot(v) && variables[v].kind == .real
    }
}

extension FittedMechanism {
    /// The same for another number of members, each of which takes over the numbers of one of these.
    fileprivate func spread(over members: Int) -> FittedMechanism {
        FittedMechanism(variable: variable, law: law, scale: scale, code: code, model: model, formula: formula,
                        parameters: parameters.isEmpty ? [] : (0..<members).map { parameters[$0 % parameters.count] })
    }
}

extension Mechanism {
    /// What `automatic` chooses from, simple ones first.
    static func candidates(for variable: Variable) -> [Mechanism] {
        variable.kind == .real ? [.linear, .smooth(), .additive(), .locationScale(), .flow()] : [.linear, .softmax()]
    }
}
