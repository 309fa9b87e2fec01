internal import CausalKernels

/// A unit of a hidden layer of a mechanism's network: layer 0 is the first one, after its activation.
public struct HiddenUnit: Hashable, Sendable {
    public let layer: Int
    public let unit: Int

    public init(layer: Int, unit: Int) {
        self.layer = layer
        self.unit = unit
    }

    /// The site of the network that it is at: site k is the input of layer k.
    var site: Int { layer + 1 }

    /// - Throws: `.name` where the mechanism has no such unit.
    func check(_ mechanism: Mechanism, of variable: Variable, isRoot: Bool) throws(EngineError) {
        let widths = isRoot ? [] : mechanism.hiddenWidths
        guard widths.indices.contains(layer) else {
            throw EngineError(.name, "scenario: hidden layer \(layer) of \(variable.name) does not exist, its mechanism (\(isRoot ? "without causes" : mechanism.name)) "
                + "has \(widths.count)")
        }
        guard (0..<widths[layer]).contains(unit) else {
            throw EngineError(.name, "scenario: unit \(unit) of hidden layer \(layer) of \(variable.name) does not exist, expected 0 to \(widths[layer] - 1)")
        }
    }
}

extension Mechanism {
    /// Of its network.
    var hiddenWidths: [Int] {
        switch self {
        case .automatic, .linear, .given: []
        case .additive(let hidden, _), .locationScale(let hidden, _), .flow(let hidden, _, _), .softmax(let hidden, _): hidden
        }
    }
}

extension CompiledScenario {
    func setsUnits(_ v: Int) -> Bool { edits[v].contains { $0.unit != nil } }

    /// do() on the hidden units of one variable, for some rows; nil where none is set.
    ///
    /// - Parameter concerned: by edit, which of these rows.
    /// - Throws: `.value` where a unit is set twice in one row.
    func unitsSet<Scalar: EngineScalar>(_ v: Int, _ rows: Range<Int>, _ concerned: [[Bool]], in model: Model<Scalar>?) throws(EngineError) -> Intervention<Scalar>? {
        guard let model, setsUnits(v) else { return nil }
        var result = Intervention<Scalar>()
        for site in Set(edits[v].compactMap { $0.unit?.site }).sorted() {
            let width = model.plan.siteWidths[site]
            let mask = try Storage<UInt8>(count: rows.count * width, of: "units that are set")
            let values = try Storage<Scalar>(count: rows.count * width, of: "units that are set")
            for (k, edit) in edits[v].enumerated() {
                guard case .unit(let unit, let value) = edit.action, unit.site == site else { continue }
                for i in 0..<rows.count where concerned[k][i] {
                    guard mask.pointer[i * width + unit.unit] == 0 else {
                        throw EngineError(.value, "scenario: unit \(unit.unit) of hidden layer \(unit.layer) is set twice in row \(rows.lowerBound + i)")
                    }
                    mask.pointer[i * width + unit.unit] = 1
                    values.pointer[i * width + unit.unit] = Scalar(value[rows.lowerBound + i])
                }
            }
            result = result.setting(Intervention.Edit(site: site, columns: width, mask: mask, maskRows: rows.count, values: values, valueRows: rows.count))
        }
        return result
    }
}

extension CompiledScenario.Edit {
    var unit: HiddenUnit? {
        if case .unit(let unit, _) = action { unit } else { nil }
    }
}
