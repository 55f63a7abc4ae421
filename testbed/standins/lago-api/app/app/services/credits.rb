# frozen_string_literal: true

# What an invoice takes off: coupons first, then credit notes, then prepaid credits.
module Credits
  class << self
    # Applies them to fees of this amount; gives the invoice's amounts.
    def apply(invoice, customer, fees_amount)
      coupons = coupons(invoice, customer, fees_amount)
      notes = credit_notes(invoice, customer, fees_amount - coupons)
      prepaid = Wallets.spend(customer, fees_amount - coupons - notes)
      {
        coupons_amount_cents: coupons, credit_notes_amount_cents: notes, prepaid_credit_amount_cents: prepaid,
        total_amount_cents: fees_amount - coupons - notes - prepaid
      }
    end

    def serialize(row)
      note = row[:credit_note_id] && db[:credit_notes].first(id: row[:credit_note_id])
      applied = row[:applied_coupon_id] && db[:applied_coupons].first(id: row[:applied_coupon_id])
      coupon = applied && db[:coupons].first(id: applied[:coupon_id])
      {
        lago_id: row[:id], amount_cents: row[:amount_cents], amount_currency: row[:amount_currency], before_taxes: !note,
        item: {lago_item_id: note ? note[:id] : coupon[:id], type: note ? "credit_note" : "coupon",
               code: note ? note[:number] : coupon[:code], name: note ? note[:number] : coupon[:name]},
        invoice: {lago_id: row[:invoice_id], payment_status: "pending"}
      }
    end

    private

    def db = Standin::Database

    def coupons(invoice, customer, amount)
      db[:applied_coupons].where(customer_id: customer[:id], status: Coupons::ACTIVE).order(:created_at).all.sum do |applied|
        off = applied[:percentage_rate] ? (amount * applied[:percentage_rate] / 100).round : [applied[:amount_cents], amount].min
        next 0 unless off.positive?

        db.insert(:credits, invoice_id: invoice[:id], applied_coupon_id: applied[:id], amount_cents: off, amount_currency: invoice[:currency])
        Coupons.use(applied)
        off
      end
    end

    def credit_notes(invoice, customer, amount)
      db[:credit_notes].where(customer_id: customer[:id]).where { balance_amount_cents > 0 }.order(:created_at).all.sum do |note|
        off = [note[:balance_amount_cents], amount].min
        next 0 unless off.positive?

        amount -= off
        db.update(:credit_notes, note, balance_amount_cents: note[:balance_amount_cents] - off)
        db.insert(:credits, invoice_id: invoice[:id], credit_note_id: note[:id], amount_cents: off, amount_currency: invoice[:currency])
        off
      end
    end
  end
end
