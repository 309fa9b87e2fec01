internal import CausalKernels

/// A unit of a hidden layer of a mechanism's network: layer 0 is the first one, after its activation.
public struct HiddenUnit: Hashable, Sendable {
    public let layer: Int
    public let unit: Int

    public init(layer: Int, unit: Int) {
        self.layer = layer
        self.unit = unit
    }

    /// - Throws: `.name` where the mechanism has no such unit.
    func check(_ mechanism: Mechanism, of variable: Variable, isRoot: Bool) throws(EngineError) {
        let widths = isRoot ? [] : mechanism.hidden
        guard widths.indices.contains(layer) else {
            throw EngineError(.name, "scenario: hidden layer \(layer) of \(variable.name) does not exist, its mechanism (\(isRoot ? "without causes" : mechanism.name)) "
                + "has \(widths.count)")
        }
        guard (0..<widths[layer]).contains(unit) else {
            throw EngineError(.name, "scenario: unit \(unit) of hidden layer \(layer) of \(variable.name) does not exist, expected 0 to \(widths[layer] - 1)")
        }
    }
}

extension CompiledScenario {
    /// do() on hidden units of the network of one variable, as its edits say; none where it has no network.
    ///
    /// - Parameter concerned: by edit, which of these rows.
    /// - Throws: `.value` where a unit is set twice in one row.
    func unitsSet<Scalar>(_ v: Int, of network: ColumnNetwork?, _ rows: Range<Int>, _ concerned: [[Bool]]) throws(EngineError) -> Intervention<Scalar> {
        var intervention = Intervention<Scalar>()
        for (number, layer) in (network?.layers.dropLast() ?? []).enumerated() where edits[v].contains(where: { $0.hiddenUnit?.layer == number }) {
            let width = layer.outputs, size = try checkedSize(rows.count, width, of: "hidden units")
            let mask = try Storage<UInt8>(count: size, of: "hidden units"), values = try Storage<Scalar>(count: size, of: "hidden units")
            for (k, edit) in edits[v].enumerated() {
                guard case .unit(let unit, let value) = edit.action, unit.layer == number else { continue }
                for (i, row) in rows.enumerated() where concerned[k][i] {
                    let place = i * width + unit.unit
                    guard mask.pointer[place] == 0 else {
                        throw EngineError(.value, "scenario: unit \(unit.unit) of hidden layer \(number) is set twice in row \(row)")
                    }
                    mask.pointer[place] = 1
                    values.pointer[place] = Scalar(value[row])
                }
            }
            intervention = intervention.setting(Intervention.Edit(site: layer.site!, columns: width, mask: mask, maskRows: rows.count,
                                                                  values: values, valueRows: rows.count))
        }
        return intervention
    }
}

extension CompiledScenario.Edit {
    /// The one that it sets.
    var hiddenUnit: HiddenUnit? {
        if case .unit(let unit, _) = action { unit } else { nil }
    }
}
