UPDATE customers SET billing_entity_id = organization_id WHERE deleted_at IS NULL;
