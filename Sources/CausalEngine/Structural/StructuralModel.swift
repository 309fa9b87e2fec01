public import CausalKernels

/// Variables, each computed from its causes and from noise by a mechanism that was learned: a network in which every variable can be set,
/// shifted or rewired, row by row, while it runs.
///
/// Values are in the user's units and double precision; `Scalar` is that of the mechanisms' networks. A model is immutable: many threads
/// may ask it at once. It holds an ensemble of `members`, which answer separately.
public final class StructuralModel<Scalar: EngineScalar>: @unchecked Sendable {
    public let description: StructuralDescription
    public let members: Int
    let mechanisms: MechanismTable<Scalar>
    /// Who draws noise from which rows, by member.
    let districts: [[District]]

    init(_ description: StructuralDescription, members: Int, mechanisms: MechanismTable<Scalar>) throws(EngineError) {
        var districts: [[District]] = []
        for member in 0..<members { districts.append(try District.all(description, mechanisms, member: member)) }
        self.description = description
        self.members = members
        self.mechanisms = mechanisms
        self.districts = districts
    }

    public var variables: [Variable] { description.variables }
    /// Numbers in a row of noise: one for most variables, one a level for a categorical one with causes.
    public var noiseWidth: Int { mechanisms.noiseWidth }

    func check(member: Int) throws(EngineError) {
        guard (0..<members).contains(member) else {
            throw EngineError(.name, "structural model: member \(member) does not exist, expected 0 to \(members - 1)")
        }
    }
}

extension StructuralModel {
    /// Rows whose noise is kept, to be drawn from; of more rows than these, some evenly spaced.
    private static var mostKeptRows: Int { 1 << 16 }

    /// What lessons have taught, and the noise in the rows that they learned from.
    ///
    /// - Parameters:
    ///   - samples: for each member the rows it learned from; nil for all.
    ///   - kept: mechanisms that were frozen, by variable.
    convenience init(_ description: StructuralDescription, learned: [MechanismLesson<Scalar>], scales: [Standardisation], data: StructuralDataset,
                     samples: [[Int]?], keeping kept: [Int: FittedMechanism<Scalar>]) throws(EngineError) {
        var list: [FittedMechanism<Scalar>] = []
        for (v, variable) in description.variables.enumerated() {
            if var mechanism = kept[v] {
                mechanism.residuals = []
                list.append(mechanism)
                continue
            }
            let lessons = learned.filter { $0.variable == v }.sorted { $0.member < $1.member }
            var mechanism = FittedMechanism(variable: variable, law: lessons.first?.law ?? .additive, scale: scales[v],
                                            code: ParentCode(of: v, description, scales), model: lessons.first?.model,
                                            parameters: lessons.map(\.parameters))
            if case .given(let formula) = description.mechanisms[v], !description.isRoot(v) { mechanism.formula = (description.parents[v], formula) }
            list.append(mechanism)
        }
        var table = MechanismTable(list)
        for (member, sample) in samples.enumerated() {
            let all = sample?.count ?? data.rows, step = max(1, (all + StructuralModel.mostKeptRows - 1) / StructuralModel.mostKeptRows)
            let rows = try data.rows(stride(from: 0, to: all, by: step).map { sample?[$0] ?? $0 })
            let noise = try Storage<Double>(count: checkedSize(rows.rows, table.noiseWidth, of: "noise"), of: "noise")
            try table.abduct(rows.view, isSet: rows.setView, member: member, seed: 0,
                             into: MutableMatrixView(noise.pointer, rows: rows.rows, columns: table.noiseWidth))
            for v in list.indices where table[v].distribution == nil {
                let residuals = try Storage<Double>(count: rows.rows, of: "noise")
                for row in 0..<rows.rows { residuals.pointer[row] = noise.pointer[row * table.noiseWidth + table.noiseOffsets[v]] }
                table.list[v].residuals.append(residuals)
            }
        }
        try self.init(description, members: samples.count, mechanisms: table)
    }
}
