public import CausalKernels

/// do(X = v): what is set, where, for which rows, and to what. An immutable value; `setting` gives a new one.
///
/// Sites are numbered in the order of the network: in an MLP site k is the input of layer k, and the site after the last
/// layer is the output.
///
/// ```swift
/// let experiment = try Intervention<Float>().setting(site: 0, mask: [false, true, false], values: [0, 0.5, 0])
/// ```
public struct Intervention<Scalar: EngineScalar>: Sendable {
    /// What is set at one site.
    package struct Edit: Sendable {
        package let site: Int
        package let columns: Int
        package let mask: Storage<UInt8>
        /// 1 (shared by all rows), or one for each row.
        package let maskRows: Int
        package let values: Storage<Scalar>
        package let valueRows: Int
    }

    package private(set) var edits: [Edit] = []

    /// Nothing is set.
    public init() {}

    public var isEmpty: Bool { edits.isEmpty }

    /// This intervention and do() at `site`, for all rows alike. It replaces what was set at that site.
    ///
    /// - Parameters:
    ///   - mask: one entry a unit; true where the unit is set.
    ///   - values: one a unit; where the mask is false they are not looked at and may be NaN.
    public func setting(site: Int, mask: [Bool], values: [Scalar]) throws(EngineError) -> Intervention {
        try setting(site: site, mask: [mask], values: try Matrix([values]))
    }

    /// This intervention and do() at `site`. Mask and values have one row, shared by all rows, or one for each row.
    public func setting(site: Int, mask: [[Bool]], values: Matrix<Scalar>) throws(EngineError) -> Intervention {
        let columns = mask.first?.count ?? values.columns
        for row in mask where row.count != columns {
            throw EngineError(.shape, "intervention at site \(site): mask rows of \(columns) and \(row.count) columns")
        }
        let bytes = mask.flatMap { $0.map { $0 ? 1 as UInt8 : 0 } }
        return try values.withView { values throws(EngineError) in
            try bytes.withUnsafeBufferPointer { bytes throws(EngineError) in
                try setting(site: site, mask: MatrixView(bytes.baseAddress ?? emptyAddress(), rows: mask.count, columns: columns), values: values)
            }
        }
    }

    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    package func setting(site: Int, mask: MatrixView<UInt8>, values: MatrixView<Scalar>) throws(EngineError) -> Intervention {
        guard site >= 0 else { throw EngineError(.name, "intervention: site \(site) does not exist, expected 0 or more") }
        guard mask.columns == values.columns else {
            throw EngineError(.shape, "intervention at site \(site): mask of shape \(mask.shape) and values of shape \(values.shape), expected equal columns")
        }
        let edit = Edit(site: site, columns: mask.columns,
                        mask: try Storage(copying: UnsafeBufferPointer(start: mask.pointer, count: mask.count), of: "intervention mask"),
                        maskRows: mask.rows,
                        values: try Storage(copying: UnsafeBufferPointer(start: values.pointer, count: values.count), of: "intervention values"),
                        valueRows: values.rows)
        return setting(edit)
    }

    package func setting(_ edit: Edit) -> Intervention {
        var result = self
        result.edits.removeAll { $0.site == edit.site }
        result.edits.append(edit)
        return result
    }

    /// Checks that every edit fits the sites of a network and `rows` rows.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    package func check(siteWidths: [Int], rows: Int) throws(EngineError) {
        for edit in edits {
            guard edit.site < siteWidths.count else {
                throw EngineError(.name, "intervention: site \(edit.site) does not exist, expected 0 to \(siteWidths.count - 1)")
            }
            guard edit.columns == siteWidths[edit.site] else {
                throw EngineError(.shape, "intervention at site \(edit.site): mask of shape (\(edit.maskRows), \(edit.columns)), expected \(siteWidths[edit.site]) columns")
            }
            func expect(_ have: Int, _ what: String) throws(EngineError) {
                guard have == 1 || have == rows else {
                    throw EngineError(.shape, "intervention at site \(edit.site): \(what) of shape (\(have), \(edit.columns)), expected 1 or \(rows) rows")
                }
            }
            try expect(edit.maskRows, "mask")
            try expect(edit.valueRows, "values")
        }
    }
}
