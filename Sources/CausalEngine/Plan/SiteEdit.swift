internal import CausalKernels
internal import Glibc

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

    /// Marks the rows, from row `first` on, of which it sets all units; whether there are any.
    func mark(_ rows: UnsafeMutableBufferPointer<Bool>, whereItSetsAll width: Int, from first: Int) -> Bool {
        func setsAll(_ row: Int) -> Bool { memchr(mask + row * maskStride, 0, width) == nil }
        guard maskStride > 0 else {
            guard setsAll(0) else { return false }
            rows.update(repeating: true)
            return true
        }
        var areAny = false
        for row in rows.indices where setsAll(first + row) {
            rows[row] = true
            areAny = true
        }
        return areAny
    }

    /// What it sets of a row.
    @inline(__always)
    func forEachSet(_ width: Int, ofRow row: Int, _ body: (_ unit: Int) -> Void) {
        let mask = mask + row * maskStride
        var unit = 0
        // Most units are not set: eight are looked at in one.
        while unit + 8 <= width {
            var set = UInt64(littleEndian: UnsafeRawPointer(mask + unit).loadUnaligned(as: UInt64.self))
            while set != 0 {
                let bit = set.trailingZeroBitCount & ~7
                body(unit + bit / 8)
                set &= ~(0xff << bit)
            }
            unit += 8
        }
        while unit < width {
            if mask[unit] != 0 { body(unit) }
            unit += 1
        }
    }
}

// MARK: On columns, the first row of which is row `first` of the edit

extension SiteEdit {
    func set(_ units: Columns<Scalar>, width: Int, from first: Int) {
        let stride = units.stride
        for row in 0..<units.rows {
            let place = units.pointer + row, values = values + (first + row) * valueStride
            forEachSet(width, ofRow: first + row) { place[$0 &* stride] = values[$0] }
        }
    }

    /// No gradient passes through what is set.
    func clear(_ gradients: Columns<Scalar>, width: Int, from first: Int) {
        let stride = gradients.stride
        for row in 0..<gradients.rows {
            let place = gradients.pointer + row
            forEachSet(width, ofRow: first + row) { place[$0 &* stride] = 0 }
        }
    }
}

extension Intervention {
    /// By site, up to the last that it acts on; it must stay alive.
    var bySite: [SiteEdit<Scalar>?] {
        var found = [SiteEdit<Scalar>?](repeating: nil, count: edits.reduce(0) { max($0, $1.site + 1) })
        for edit in edits { found[edit.site] = SiteEdit(edit) }
        return found
    }
}
