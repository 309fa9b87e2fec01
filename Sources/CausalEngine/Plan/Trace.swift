public import CausalKernels

/// Everything that one forward pass writes and its backward pass reads. Several traces of one model may be alive at once: a factual
/// and a counterfactual pass, then one backward through each. A trace may be used again for another forward pass.
public final class Trace<Scalar: EngineScalar>: @unchecked Sendable {
    let plan: Plan
    /// The model whose passes it holds.
    let owner: AnyObject?
    /// Rows of the pass it holds; nil before the first.
    package private(set) var rows: Int?
    /// Rows of the latest pass, for which there is room.
    private var latestRows = -1

    private var valueStorage: Storage<Scalar>
    /// Nil where gradients are among the values.
    private var gradientStorage: Storage<Scalar>?
    /// Where gradients are, units before that of each buffer, and elements for one row of what `valueStorage` holds.
    private var gradientPlace: UnsafeMutablePointer<Scalar>
    private let gradientStarts: [Int]
    private let unitsPerRow: Int
    private var panelStorage: Storage<Scalar>
    private var screenStorage: Storage<Scalar>?
    private let maskedStorage: Storage<Scalar>?
    private let maskedGradientStorage: Storage<Scalar>?
    private let zeros: Storage<Scalar>

    /// The interventions of the pass, by site.
    var edits: [SiteEdit<Scalar>?]
    /// What keeps them alive.
    private var intervention: Intervention<Scalar>?
    /// The parameters that the pass saw, and which version of them.
    private var parameters: Parameters<Scalar>?
    private var version = 0

    /// - Parameter isUsedUp: whether the way back, which then is one and leads to no input, may overwrite values.
    init(_ plan: Plan, of owner: AnyObject?, isUsedUp: Bool = false) throws(EngineError) {
        self.plan = plan
        self.owner = owner
        valueStorage = try Storage(count: 0, of: "trace")
        let shared = isUsedUp ? SharedMemory(plan) : nil
        gradientStorage = isUsedUp ? nil : try Storage(count: 0, of: "trace")
        gradientPlace = (gradientStorage ?? valueStorage).pointer
        gradientStarts = shared?.starts ?? plan.buffers.map(\.start)
        unitsPerRow = shared?.unitsPerRow ?? plan.unitsPerRow
        panelStorage = try Storage(count: 0, of: "trace")
        let hasEdges = plan.maskedWeightCount > 0
        maskedStorage = hasEdges ? try Storage(count: plan.maskedWeightCount, of: "trace") : nil
        maskedGradientStorage = hasEdges ? try Storage(count: plan.edges.map(\.isThere.count).max() ?? 0, of: "trace") : nil
        zeros = try Storage(count: plan.widestCut, of: "trace")
        edits = [SiteEdit<Scalar>?](repeating: nil, count: plan.siteWidths.count)
    }

    // MARK: What a pass begins with

    func begin(rows: Int, parameters: Parameters<Scalar>, intervention: Intervention<Scalar>?) throws(EngineError) {
        self.rows = nil
        if rows != latestRows { try makeRoom(rows) }
        self.parameters = parameters
        self.intervention = intervention
        version = parameters.version
        self.rows = rows
    }

    private func makeRoom(_ rows: Int) throws(EngineError) {
        latestRows = -1
        let needed = try checkedSize(unitsPerRow, rows, of: "trace of \(rows) rows")
        if valueStorage.count < needed { valueStorage = try Storage(count: needed, of: "trace of \(rows) rows") }
        let panels = plan.panelCount(Scalar.self, rows: rows)
        if panelStorage.count < panels { panelStorage = try Storage(count: panels, of: "trace of \(rows) rows") }
        latestRows = rows
    }

    /// Lets go of what it borrowed.
    func end() {
        rows = nil
        parameters = nil
        intervention = nil
        for site in edits.indices { edits[site] = nil }
    }

    /// Takes over the interventions of rows `first` and following.
    func setEdits(_ intervention: Intervention<Scalar>?, from first: Int) {
        for site in edits.indices { edits[site] = nil }
        if let intervention {
            for edit in intervention.edits { edits[edit.site] = SiteEdit(edit, from: first) }
        }
    }

    /// - Throws: `.state` where the trace does not hold a pass of this plan with these parameters as they are now.
    func check(_ parameters: Parameters<Scalar>) throws(EngineError) -> Int {
        guard let rows else { throw EngineError(.state, "backward: the trace is empty, expected a forward pass before") }
        guard parameters.pointer == self.parameters?.pointer else {
            throw EngineError(.state, "backward: another parameter buffer than the forward pass had")
        }
        guard parameters.version == version else {
            throw EngineError(.state, "backward: the parameters were changed after the forward pass of this trace; run forward again")
        }
        return rows
    }

    // MARK: Memory

    func values(_ buffer: Int) -> UnsafeMutablePointer<Scalar> { valueStorage.pointer + rows! * plan.buffers[buffer].start }

    func gradients(_ buffer: Int) -> UnsafeMutablePointer<Scalar> { gradientPlace + rows! * gradientStarts[buffer] }

    func reserveGradients() throws(EngineError) {
        let needed = rows! * unitsPerRow
        if let storage = gradientStorage, storage.count < needed { gradientStorage = try Storage(count: needed, of: "gradients of \(rows!) rows") }
        gradientPlace = (gradientStorage ?? valueStorage).pointer
    }

    var panels: UnsafeMutablePointer<Scalar> { panelStorage.pointer }

    /// Zeros, as many as the widest cut has units.
    var cutValues: UnsafePointer<Scalar> { UnsafePointer(zeros.pointer) }

    func maskedWeights(_ edges: Int) -> UnsafeMutablePointer<Scalar> { maskedStorage!.pointer + plan.maskedWeights[edges] }

    var maskedGradient: UnsafeMutablePointer<Scalar> { maskedGradientStorage!.pointer }

    /// Room for a copy of a matrix, kept for the next time.
    func screen(_ count: Int) throws(EngineError) -> UnsafeMutablePointer<Scalar> {
        if (screenStorage?.count ?? -1) < count { screenStorage = try Storage(count: count, of: "trace") }
        return screenStorage!.pointer
    }

    /// Whether a number that is not finite may be read through an edge that do() cut or that the graph does not have.
    var mayReadThroughCutEdges: Bool {
        if !plan.edges.isEmpty { return true }
        for site in edits.indices where edits[site] != nil && !plan.sitesOnInput.contains(site) { return true }
        return false
    }
}

extension Trace {
    /// Whether the pass it holds intervened at a site.
    package func hasEdit(at site: Int) -> Bool { edits[site] != nil }

    /// What the units of a site were, (rows, width), where nothing overwrites them later, as nothing does in an MLP.
    func values(at site: Int) -> UnsafePointer<Scalar> {
        for case .intervene(site, let buffer, false) in plan.steps { return UnsafePointer(values(buffer)) }
        preconditionFailure("a plan intervenes at each of its sites")
    }
}
