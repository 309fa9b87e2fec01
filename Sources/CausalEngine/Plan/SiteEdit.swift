internal import CausalKernels

/// An intervention at one site as a pass uses it: addresses, and how far apart the rows are (0 where one row is shared).
struct SiteEdit<Scalar: EngineScalar> {
    var mask: UnsafePointer<UInt8>
    let maskStride: Int
    var values: UnsafePointer<Scalar>
    let valueStride: Int

    init(mask: UnsafePointer<UInt8>, maskStride: Int, values: UnsafePointer<Scalar>, valueStride: Int) {
        self.mask = mask
        self.maskStride = maskStride
        self.values = values
        self.valueStride = valueStride
    }

    /// As seen from row `first`; the edit must stay alive.
    init(_ edit: Intervention<Scalar>.Edit, from first: Int = 0) {
        maskStride = edit.maskRows == 1 ? 0 : edit.columns
        valueStride = edit.valueRows == 1 ? 0 : edit.columns
        mask = UnsafePointer(edit.mask.pointer) + first * maskStride
        values = UnsafePointer(edit.values.pointer) + first * valueStride
    }

    /// Whether it sets the whole of a row.
    func setsAll(_ width: Int, ofRow row: Int) -> Bool {
        (0..<width).allSatisfy { mask[row * maskStride + $0] != 0 }
    }
}
